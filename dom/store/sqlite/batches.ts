/**
 * Posts what is given to it, all of one turn of the event loop as one message: between threads a
 * message costs far more than what is in it.
 */
export function inBatches<Item>(post: (items: readonly Item[]) => void): (item: Item) => void {
  let batch: Item[] = [];
  return (item) => {
    batch.push(item);
    if (batch.length > 1) return;
    queueMicrotask(() => {
      const items = batch;
      batch = [];
      post(items);
    });
  };
}
