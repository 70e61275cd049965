#include "base/result.h"

#include <utility>

namespace kura {

Error::Error(Errc code_in, std::string detail_in) : code(code_in), detail(std::move(detail_in)) {}
Error::Error(const Error&) = default;
Error::Error(Error&&) noexcept = default;
Error& Error::operator=(const Error&) = default;
Error& Error::operator=(Error&&) noexcept = default;
Error::~Error() = default;

tl::unexpected<Error> fail(Errc code, std::string detail) {
  return tl::unexpected<Error>(Error(code, std::move(detail)));
}

tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace kura
