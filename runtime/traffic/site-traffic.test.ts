import { expect, test } from 'vitest';
import { nothingAnswered, TRAFFIC_COUNTS_MAX, TrafficBoard } from './site-traffic.ts';

const RELEASE = 'sha256-1';
const count = (requests: number, serverErrors = 0, uid = 'u') => ({
  ...nothingAnswered({ uid, release: RELEASE }),
  ...{ requests, serverErrors },
});
const answered = (board: TrafficBoard, node = 'a', uid = 'u') =>
  board.answered({ node, uid, release: RELEASE });

test('what a node had counted before dom listened is not counted; what it adds is', () => {
  const board = new TrafficBoard();
  expect(answered(board)).toEqual({ requests: 0, serverErrors: 0 });
  board.heard('a', [count(100, 10)]);
  expect(answered(board)).toEqual({ requests: 0, serverErrors: 0 });
  board.heard('a', [count(150, 12)]);
  board.heard('a', [count(150, 12)]);
  expect(answered(board)).toEqual({ requests: 50, serverErrors: 2 });
  expect(answered(board, 'b')).toEqual({ requests: 0, serverErrors: 0 });
});

test('what a node mentions only later began with nothing', () => {
  const board = new TrafficBoard();
  board.heard('a', []);
  board.heard('a', [count(30, 30)]);
  expect(answered(board)).toEqual({ requests: 30, serverErrors: 30 });
});

test('a node that starts anew counts anew, and nothing goes back', () => {
  const board = new TrafficBoard();
  board.heard('a', []);
  board.heard('a', [count(100, 1)]);
  board.heard('a', [count(7, 2)]);
  expect(answered(board)).toEqual({ requests: 107, serverErrors: 3 });
});

test('a node that is none any more is forgotten, and what it says is bounded', () => {
  const board = new TrafficBoard();
  board.heard('a', []);
  for (let number = 0; number <= TRAFFIC_COUNTS_MAX; number += 1)
    board.heard('a', [count(1, 0, `u${number}`)]);
  expect(answered(board, 'a', 'u0').requests).toBe(0);
  expect(answered(board, 'a', 'u1').requests).toBe(1);
  board.forget('a');
  expect(answered(board, 'a', 'u1').requests).toBe(0);
});
