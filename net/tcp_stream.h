// TcpStream: a connected socket as a Stream. For the files of net/ only.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "base/stream.h"

namespace kura {

using TcpSocket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

// "1.2.3.4:5", "[::1]:5"; an IPv4 address that arrived through an IPv6 socket as IPv4.
std::string describe(boost::asio::ip::tcp::endpoint endpoint);

// Takes a connected socket; sets no-delay and keep-alive.
std::unique_ptr<Stream> make_tcp_stream(TcpSocket socket, std::string peer);

}  // namespace kura
