/*
 * A UDP socket that reads and sends many datagrams in one call, which Node has no way to do
 * (docs/adr/0013-udp-batches.md). It knows nothing of DNS: it hands up to BATCH datagrams to
 * JavaScript, which writes what to send back beside them, and sends that.
 *
 * All that JavaScript and C share is one ArrayBuffer; `layout` tells where in it is what. C reads
 * from it only how long the replies are, and checks that: no value in it can lead C elsewhere.
 *
 * Linux only. Uses Node-API, and of libuv what is exported by node itself: its handles are opaque
 * here, so its headers are not needed.
 */
#define _GNU_SOURCE
#define NAPI_VERSION 8
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Counted up with every change that the TypeScript beside it must know of. */
#define INTERFACE_VERSION 1

/* Datagrams in one call. More save little, and the first would wait for the last. */
#define BATCH 64
/* Of a query and of a reply: as long as a query over TCP may be here. Longer ones are dropped. */
#define DATAGRAM_BYTES_MAX 4096
/* Not a power of two, or all of them would fall on the same few lines of the cache. */
#define STRIDE (DATAGRAM_BYTES_MAX + 64)
#define ADDRESS_BYTES 16

/* The shared memory. Numbers are in the machine's own byte order. */
struct shared {
  /* Of what could not be received or sent since the last batch: errno, and how many datagrams. */
  int32_t failure;
  int32_t failed;
  /* 0: nothing to answer. */
  int32_t query_bytes[BATCH];
  /* 0: nothing to send. */
  int32_t reply_bytes[BATCH];
  /* 4 or 16 bytes, as the socket's family has it. */
  uint8_t addresses[BATCH][ADDRESS_BYTES];
  uint8_t queries[BATCH][STRIDE];
  uint8_t replies[BATCH][STRIDE];
};

/* libuv, as far as it is needed; these names and values are part of its stable interface. */
typedef struct uv_poll_s uv_poll_t;
typedef struct uv_handle_s uv_handle_t;
#define UV_POLL 8
#define UV_READABLE 1
extern const char *uv_handle_type_name(int type);
extern size_t uv_handle_size(int type);
extern void uv_handle_set_data(uv_handle_t *handle, void *data);
extern void *uv_handle_get_data(const uv_handle_t *handle);
extern void uv_close(uv_handle_t *handle, void (*done)(uv_handle_t *));
extern int uv_poll_init(struct uv_loop_s *loop, uv_poll_t *handle, int fd);
extern int uv_poll_start(uv_poll_t *handle, int events, void (*ready)(uv_poll_t *, int, int));
extern int uv_poll_stop(uv_poll_t *handle);

/* Room for a `struct in_pktinfo` or `struct in6_pktinfo` and its header. */
union control {
  struct cmsghdr align;
  uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct udp {
  napi_env env;
  napi_ref on_batch;
  napi_ref memory;
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
  uv_poll_t *poll;
  /* -1: closed. */
  int fd;
  int family;
  /* Bound to every address: each reply leaves from the address that was asked. */
  bool is_wildcard;
  bool in_batch;
  bool is_closing;
  /* The JavaScript object and libuv's handle: the last one to go frees this. */
  int holders;
  struct shared *shared;
  struct mmsghdr received[BATCH];
  struct mmsghdr sent[BATCH];
  struct iovec query_vectors[BATCH];
  struct iovec reply_vectors[BATCH];
  struct sockaddr_in6 peers[BATCH];
  union control controls[BATCH];
};

static void release(struct udp *udp) {
  udp->holders -= 1;
  if (udp->holders > 0) return;
  free(udp->poll);
  free(udp);
}

/* ---- closing ---------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle) {
  struct udp *udp = uv_handle_get_data(handle);
  /* If the environment ends, it has waited for this. */
  if (udp->hook != NULL) napi_remove_async_cleanup_hook(udp->hook);
  udp->hook = NULL;
  release(udp);
}

/* The port is free at once; the memory goes when libuv has let go of its handle. */
static void shut(struct udp *udp) {
  if (udp->fd < 0) return;
  uv_poll_stop(udp->poll);
  close(udp->fd);
  udp->fd = -1;
  udp->shared = NULL;
  napi_async_destroy(udp->env, udp->context);
  napi_delete_reference(udp->env, udp->on_batch);
  napi_delete_reference(udp->env, udp->memory);
  uv_close((uv_handle_t *)udp->poll, on_closed);
}

/* A worker thread that ends, or the process, with the socket open. No batch is under way then. */
static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  shut(data);
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  release(data);
}

static napi_value close_socket(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  void *data;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok || count < 1 ||
      napi_get_value_external(env, argument, &data) != napi_ok) {
    napi_throw_type_error(env, NULL, "close wants what open returned");
    return NULL;
  }
  struct udp *udp = data;
  /* In the middle of a batch: what was answered is sent first. */
  if (udp->in_batch) udp->is_closing = true;
  else shut(udp);
  return NULL;
}

/* ---- one batch -------------------------------------------------------------------------------- */

static void note(struct udp *udp, int failure, int count) {
  udp->shared->failure = failure;
  udp->shared->failed += count;
}

static uint16_t port_of(const struct sockaddr_in6 *peer) {
  /* In both families it lies after the family. */
  return peer->sin6_port;
}

static const uint8_t *address_of(const struct sockaddr_in6 *peer, int family) {
  if (family == AF_INET) return (const uint8_t *)&((const struct sockaddr_in *)peer)->sin_addr;
  return (const uint8_t *)&peer->sin6_addr;
}

/* How many datagrams came; 0: none, or it failed. */
static int receive(struct udp *udp) {
  struct shared *shared = udp->shared;
  for (int i = 0; i < BATCH; i += 1) {
    struct msghdr *header = &udp->received[i].msg_hdr;
    header->msg_namelen = sizeof(udp->peers[i]);
    header->msg_controllen = udp->is_wildcard ? sizeof(udp->controls[i]) : 0;
  }
  int count = recvmmsg(udp->fd, udp->received, BATCH, MSG_DONTWAIT, NULL);
  if (count < 0) {
    if (errno != EAGAIN && errno != EINTR) note(udp, errno, 0);
    return 0;
  }
  for (int i = 0; i < count; i += 1) {
    const struct msghdr *header = &udp->received[i].msg_hdr;
    bool is_whole = (header->msg_flags & MSG_TRUNC) == 0;
    /* Nothing can be sent to port 0: the source was forged. */
    bool is_answerable = is_whole && port_of(&udp->peers[i]) != 0;
    shared->query_bytes[i] = is_answerable ? (int32_t)udp->received[i].msg_len : 0;
    shared->reply_bytes[i] = 0;
    size_t address_bytes = udp->family == AF_INET ? 4 : 16;
    memcpy(shared->addresses[i], address_of(&udp->peers[i], udp->family), address_bytes);
  }
  return count;
}

/*
 * What the kernel tells where a datagram came in, as what it is told where its reply leaves: the
 * interface is for it to choose. The address that was asked, not the one it came in by, which a
 * broadcast has.
 */
static void turn_around(struct msghdr *header, int family) {
  struct cmsghdr *control = CMSG_FIRSTHDR(header);
  if (control == NULL) return;
  if (family == AF_INET && control->cmsg_type == IP_PKTINFO) {
    ((struct in_pktinfo *)CMSG_DATA(control))->ipi_ifindex = 0;
  } else if (family == AF_INET6 && control->cmsg_type == IPV6_PKTINFO) {
    struct in6_pktinfo *told = (struct in6_pktinfo *)CMSG_DATA(control);
    /* A link-local address means nothing without its link. */
    if (!IN6_IS_ADDR_LINKLOCAL(&told->ipi6_addr)) told->ipi6_ifindex = 0;
  }
}

/* Gathers the replies to the first `count` datagrams; returns how many there are. */
static int gather(struct udp *udp, int count) {
  int replies = 0;
  for (int i = 0; i < count; i += 1) {
    int32_t length = udp->shared->reply_bytes[i];
    if (length <= 0 || length > DATAGRAM_BYTES_MAX || udp->shared->query_bytes[i] == 0) continue;
    const struct msghdr *from = &udp->received[i].msg_hdr;
    struct msghdr *header = &udp->sent[replies].msg_hdr;
    udp->reply_vectors[i].iov_len = (size_t)length;
    header->msg_name = from->msg_name;
    header->msg_namelen = from->msg_namelen;
    header->msg_iov = &udp->reply_vectors[i];
    header->msg_iovlen = 1;
    header->msg_control = from->msg_control;
    header->msg_controllen = from->msg_controllen;
    if (udp->is_wildcard) turn_around(header, udp->family);
    replies += 1;
  }
  return replies;
}

/*
 * Nothing waits: what the kernel has no room for is lost, as on any busy line, and resolvers ask
 * again. A datagram that cannot be sent costs only itself.
 */
static void send_all(struct udp *udp, int count) {
  int done = 0;
  while (done < count) {
    int sent = sendmmsg(udp->fd, udp->sent + done, (unsigned)(count - done), MSG_DONTWAIT);
    if (sent > 0) {
      done += sent;
      continue;
    }
    if (errno == EINTR) continue;
    bool is_full = errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM;
    int lost = is_full ? count - done : 1;
    note(udp, errno, lost);
    done += lost;
  }
}

/* Whether the memory that both sides share is still there: JavaScript can give an ArrayBuffer away. */
static bool is_shared(struct udp *udp) {
  napi_value memory;
  void *data = NULL;
  size_t bytes = 0;
  return napi_get_reference_value(udp->env, udp->memory, &memory) == napi_ok && memory != NULL &&
         napi_get_arraybuffer_info(udp->env, memory, &data, &bytes) == napi_ok &&
         data == udp->shared && bytes >= sizeof(struct shared);
}

/* Lets JavaScript answer. A throw is for the environment to report, as of any callback. */
static void call(struct udp *udp, int count) {
  napi_env env = udp->env;
  napi_value receiver, callback, argument;
  if (napi_get_undefined(env, &receiver) != napi_ok ||
      napi_get_reference_value(env, udp->on_batch, &callback) != napi_ok ||
      napi_create_int32(env, count, &argument) != napi_ok) {
    return;
  }
  if (napi_call_function(env, receiver, callback, 1, &argument, NULL) == napi_ok) return;
  bool is_thrown = false;
  napi_value error;
  /* Nothing is thrown, and nothing may be called, when the thread is being ended. */
  if (napi_is_exception_pending(env, &is_thrown) == napi_ok && is_thrown &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok) {
    napi_fatal_exception(env, error);
  }
}

static void serve_batch(struct udp *udp, int failure) {
  if (!is_shared(udp)) {
    udp->is_closing = true;
    return;
  }
  if (failure != 0) note(udp, failure, 0);
  int count = failure == 0 ? receive(udp) : 0;
  if (count == 0 && udp->shared->failure == 0) return;
  napi_callback_scope scope;
  if (napi_open_callback_scope(udp->env, NULL, udp->context, &scope) != napi_ok) return;
  call(udp, count);
  /* Before anything else that JavaScript has to do: the scope's end runs what promises wait for. */
  if (is_shared(udp)) send_all(udp, gather(udp, count));
  else udp->is_closing = true;
  napi_close_callback_scope(udp->env, scope);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
  (void)events;
  struct udp *udp = uv_handle_get_data((const uv_handle_t *)poll);
  napi_handle_scope scope;
  if (udp->fd < 0 || napi_open_handle_scope(udp->env, &scope) != napi_ok) return;
  udp->in_batch = true;
  serve_batch(udp, status < 0 ? -status : 0);
  udp->in_batch = false;
  if (udp->is_closing) shut(udp);
  napi_close_handle_scope(udp->env, scope);
}

/* ---- opening ---------------------------------------------------------------------------------- */

static bool is_any(const struct sockaddr *address) {
  if (address->sa_family == AF_INET)
    return ((const struct sockaddr_in *)address)->sin_addr.s_addr == htonl(INADDR_ANY);
  return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* Sets what is asked for on a new socket and binds it; 0, or an errno. */
static int prepare(int fd, const struct addrinfo *where, int buffer_bytes) {
  const int on = 1;
  bool is_ipv6 = where->ai_family == AF_INET6;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) return errno;
  if (is_ipv6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0) return errno;
  /* The kernel may grant less, and that will do. */
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes));
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof(buffer_bytes));
  if (is_any(where->ai_addr)) {
    int level = is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
    int option = is_ipv6 ? IPV6_RECVPKTINFO : IP_PKTINFO;
    if (setsockopt(fd, level, option, &on, sizeof(on)) != 0) return errno;
  }
  return bind(fd, where->ai_addr, where->ai_addrlen) == 0 ? 0 : errno;
}

/* A bound socket, or an errno below zero. */
static int bound_socket(const char *host, int port, int buffer_bytes, struct udp *udp) {
  char service[8];
  snprintf(service, sizeof(service), "%d", port);
  struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
  struct addrinfo *where = NULL;
  if (getaddrinfo(host, service, &hints, &where) != 0 || where == NULL) return -EINVAL;
  int fd = socket(where->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int failure = fd < 0 ? errno : prepare(fd, where, buffer_bytes);
  udp->family = where->ai_family;
  udp->is_wildcard = is_any(where->ai_addr);
  freeaddrinfo(where);
  if (failure == 0) return fd;
  if (fd >= 0) close(fd);
  return -failure;
}

static int port_bound(int fd) {
  struct sockaddr_in6 own = {0};
  socklen_t length = sizeof(own);
  return getsockname(fd, (struct sockaddr *)&own, &length) == 0 ? ntohs(port_of(&own)) : 0;
}

static void point_at_memory(struct udp *udp) {
  for (int i = 0; i < BATCH; i += 1) {
    udp->query_vectors[i] = (struct iovec){udp->shared->queries[i], DATAGRAM_BYTES_MAX};
    udp->reply_vectors[i] = (struct iovec){udp->shared->replies[i], 0};
    udp->received[i].msg_hdr = (struct msghdr){
        .msg_name = &udp->peers[i],
        .msg_iov = &udp->query_vectors[i],
        .msg_iovlen = 1,
        .msg_control = udp->is_wildcard ? &udp->controls[i] : NULL,
    };
  }
}

/* The memory, the references to JavaScript and libuv's handle; false: nothing of them is left. */
static bool attach(struct udp *udp, napi_env env, napi_value on_batch, napi_value *memory) {
  napi_value name;
  struct uv_loop_s *loop;
  void *data;
  udp->env = env;
  udp->poll = calloc(1, uv_handle_size(UV_POLL));
  if (udp->poll == NULL || napi_get_uv_event_loop(env, &loop) != napi_ok ||
      napi_create_arraybuffer(env, sizeof(struct shared), &data, memory) != napi_ok ||
      napi_create_string_utf8(env, "UDPBATCH", NAPI_AUTO_LENGTH, &name) != napi_ok) {
    return false;
  }
  udp->shared = data;
  if (napi_create_reference(env, on_batch, 1, &udp->on_batch) != napi_ok) return false;
  if (napi_create_reference(env, *memory, 1, &udp->memory) == napi_ok) {
    if (napi_async_init(env, NULL, name, &udp->context) == napi_ok) {
      uv_handle_set_data((uv_handle_t *)udp->poll, udp);
      if (uv_poll_init(loop, udp->poll, udp->fd) == 0) {
        udp->holders += 1;
        return true;
      }
      napi_async_destroy(env, udp->context);
    }
    napi_delete_reference(env, udp->memory);
  }
  napi_delete_reference(env, udp->on_batch);
  return false;
}

static void set_number(napi_env env, napi_value object, const char *name, int64_t number) {
  napi_value value;
  napi_create_int64(env, number, &value);
  napi_set_named_property(env, object, name, value);
}

/* From here on the environment's end closes it; the result is what JavaScript holds it by. */
static napi_value started(napi_env env, struct udp *udp, napi_value memory) {
  napi_value handle, result;
  bool is_up = napi_create_external(env, udp, on_collected, NULL, &handle) == napi_ok;
  if (is_up) udp->holders += 1;
  is_up = is_up && napi_add_async_cleanup_hook(env, on_environment_end, udp, &udp->hook) == napi_ok;
  is_up = is_up && uv_poll_start(udp->poll, UV_READABLE, on_ready) == 0;
  is_up = is_up && napi_create_object(env, &result) == napi_ok;
  if (!is_up) {
    shut(udp);
    return NULL;
  }
  set_number(env, result, "port", port_bound(udp->fd));
  napi_set_named_property(env, result, "handle", handle);
  napi_set_named_property(env, result, "memory", memory);
  return result;
}

/*
 * open(host, port, bufferBytes, onBatch) → { handle, port, memory }, or an errno below zero.
 * `host` is an address, IPv6 with its zone where it needs one.
 */
static napi_value open_socket(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value arguments[4];
  char host[INET6_ADDRSTRLEN + 32];
  int32_t port, buffer_bytes;
  napi_valuetype type = napi_undefined;
  bool is_sound =
      napi_get_cb_info(env, info, &count, arguments, NULL, NULL) == napi_ok && count == 4 &&
      napi_get_value_string_utf8(env, arguments[0], host, sizeof(host), NULL) == napi_ok &&
      napi_get_value_int32(env, arguments[1], &port) == napi_ok &&
      napi_get_value_int32(env, arguments[2], &buffer_bytes) == napi_ok &&
      napi_typeof(env, arguments[3], &type) == napi_ok && type == napi_function;
  if (!is_sound) {
    napi_throw_type_error(env, NULL, "open wants (host, port, bufferBytes, onBatch)");
    return NULL;
  }
  struct udp *udp = calloc(1, sizeof(*udp));
  napi_value memory, failure, result = NULL;
  int fd = udp == NULL ? -ENOMEM : bound_socket(host, port, buffer_bytes, udp);
  if (fd >= 0) {
    udp->fd = fd;
    if (attach(udp, env, arguments[3], &memory)) {
      point_at_memory(udp);
      result = started(env, udp, memory);
      if (result != NULL) return result;
      fd = -ENOMEM;
      udp = NULL;
    } else {
      close(fd);
      fd = -ENOMEM;
    }
  }
  if (udp != NULL) free(udp->poll);
  free(udp);
  napi_create_int32(env, fd, &failure);
  return failure;
}

/* ---- the module ------------------------------------------------------------------------------- */

static void set_function(napi_env env, napi_value object, const char *name, napi_callback what) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, what, NULL, &function) == napi_ok)
    napi_set_named_property(env, object, name, function);
}

NAPI_MODULE_INIT() {
  const char *poll_name = uv_handle_type_name(UV_POLL);
  if (poll_name == NULL || strcmp(poll_name, "poll") != 0) {
    napi_throw_error(env, NULL, "this Node's libuv counts its handles in another way");
    return NULL;
  }
  set_number(env, exports, "version", INTERFACE_VERSION);
  set_number(env, exports, "batch", BATCH);
  set_number(env, exports, "datagramBytesMax", DATAGRAM_BYTES_MAX);
  set_number(env, exports, "stride", STRIDE);
  set_number(env, exports, "failureAt", offsetof(struct shared, failure));
  set_number(env, exports, "queryBytesAt", offsetof(struct shared, query_bytes));
  set_number(env, exports, "replyBytesAt", offsetof(struct shared, reply_bytes));
  set_number(env, exports, "addressesAt", offsetof(struct shared, addresses));
  set_number(env, exports, "queriesAt", offsetof(struct shared, queries));
  set_number(env, exports, "repliesAt", offsetof(struct shared, replies));
  set_function(env, exports, "open", open_socket);
  set_function(env, exports, "close", close_socket);
  return exports;
}
