// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/wire.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kpath::debugger {
namespace {

using nlohmann::json;

bool SendAll(int socket, const void* bytes, size_t size) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t sent = send(socket, at, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    at += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

bool ReceiveAll(int socket, void* bytes, size_t size) {
  char* at = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t got = recv(socket, at, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

}  // namespace

void to_json(json& to, const RunResult& result) {
  to = {
      {"position", result.position}, {"ended", result.ended}, {"interrupted", result.interrupted}};
  if (result.stop.has_value()) to["stop"] = *result.stop;
}

void from_json(const json& from, RunResult& result) {
  from.at("position").get_to(result.position);
  from.at("ended").get_to(result.ended);
  from.at("interrupted").get_to(result.interrupted);
  if (from.contains("stop")) result.stop = from.at("stop").get<Stop>();
}

bool Send(int socket, const json& message) {
  const std::string text = message.dump(-1, ' ', false, json::error_handler_t::replace);
  const uint64_t size = text.size();
  return SendAll(socket, &size, sizeof(size)) && SendAll(socket, text.data(), text.size());
}

absl::optional<json> Receive(int socket) {
  uint64_t size;
  if (!ReceiveAll(socket, &size, sizeof(size))) return absl::nullopt;
  std::string text(size, '\0');
  if (!ReceiveAll(socket, text.data(), size)) return absl::nullopt;
  return json::parse(text);
}

bool SendDescriptor(int socket, int descriptor) {
  char byte = 0;
  iovec data = {.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  return sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

int ReceiveDescriptor(int socket) {
  char byte;
  iovec data = {.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ssize_t got;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  const cmsghdr* header = got == 1 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return -1;
  int descriptor;
  std::memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
  return descriptor;
}

}  // namespace kpath::debugger
