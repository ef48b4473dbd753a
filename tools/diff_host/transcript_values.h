// SPDX-License-Identifier: Apache-2.0
//
// Values as strace writes them. Inside tools/diff_host.
#pragma once

#include <cstdint>
#include <string>

#include "tools/diff_host/program.h"
#include "tools/diff_host/trace.h"

namespace kpath::diff_host {

// "NULL", "0x20001000"
std::string AddressText(uint64_t address);
// "8", "-1 EINVAL (Invalid argument)"
std::string ResultText(int64_t result);
// What io_submit is given: "[{aio_data=7, …}, {…}]", or an address.
std::string ListText(const Op& op);
std::string IocbText(const Entry& entry);
std::string TimeoutText(uint64_t address, uint64_t seconds, uint64_t nanoseconds);
std::string SigsetText(uint64_t address, uint64_t mask, uint64_t size);
std::string ProtectionText(uint64_t protection);
std::string MremapText(uint64_t flags);
// Of a record: "EFAULT" for a negative errno, else a number.
std::string ValueText(const Record& record);

}  // namespace kpath::diff_host
