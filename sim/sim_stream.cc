#include "sim/sim_stream.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "base/loop.h"

namespace kura::sim {

// One end, and the direction that comes in at it.
struct End {
  HostId host = 0;
  std::string peer;
  bool closed = false;        // By its owner.
  bool deaf = false;          // Its owner reads no more.
  bool broken = false;        // It knows that the connection is gone.
  std::string arrived;        // Not yet read.
  bool no_more = false;       // The other end has sent everything, and all of it arrived.
  uint64_t coming_bytes = 0;  // Sent to this end, not yet arrived.
  int64_t last_due_ns = 0;    // When the last piece or the end arrives here: keeps the order.

  char* read_out = nullptr;
  size_t read_size = 0;
  std::optional<Resolver<Result<size_t>>> reader;
  std::optional<Resolver<Result<void>>> room_waiter;  // Of this end's writer.
};

struct Connection {
  uint64_t number = 0;
  bool cut = false;
  End ends[2];
};

namespace {

constexpr size_t kBacklogMax = 128;

Result<size_t> take(End& end, char* out, size_t size, SimRandom& random) {
  size_t n = std::min(size, end.arrived.size());
  if (n > 1 && random.pick(16) == 0) n = 1 + random.pick(n);  // Short reads are legal.
  std::memcpy(out, end.arrived.data(), n);
  end.arrived.erase(0, n);
  return n;
}

void wake_reader(End& end, SimRandom& random) {
  if (!end.reader) return;
  Result<size_t> result = 0;
  if (end.closed)
    result = fail(Errc::closed, "connection is closed");
  else if (end.deaf)
    result = 0;
  else if (!end.arrived.empty())
    result = take(end, end.read_out, end.read_size, random);
  else if (end.broken)
    result = fail(Errc::closed, "connection is broken");
  else if (!end.no_more)
    return;
  auto reader = *std::exchange(end.reader, std::nullopt);
  reader(std::move(result));
}

void wake_writer(End& end, Result<void> result) {
  if (!end.room_waiter) return;
  auto waiter = *std::exchange(end.room_waiter, std::nullopt);
  waiter(std::move(result));
}

}  // namespace

class SimStream final : public Stream {
 public:
  SimStream(SimNetwork& network, std::shared_ptr<Connection> connection, int side)
      : network_(network), connection_(std::move(connection)), side_(side) {}
  ~SimStream() override { close(); }

  Task<Result<size_t>> read_some(char* out, size_t size_bytes) override {
    End& end = own();
    auto wait = suspend<Result<size_t>>([&](Resolver<Result<size_t>> resolve) {
      if (network_.dead(end.host)) return;
      INVARIANT(!end.reader, "one read at a time");
      INVARIANT(size_bytes > 0, "a read has room");
      end.read_out = out;
      end.read_size = size_bytes;
      end.reader = resolve;
      wake_reader(end, network_.random_);
    });
    Result<size_t> result = co_await wait;
    // The other end's writer may go on. Not before: the bytes are only now out of the buffer.
    wake_writer(other(), {});
    co_return result;
  }

  Task<Result<void>> write(std::vector<std::string_view> pieces) override {
    for (std::string_view piece : pieces) {
      while (!piece.empty()) {
        if (own().closed || own().broken) co_return fail(Errc::closed, "connection is closed");
        const uint64_t used = other().coming_bytes + other().arrived.size();
        if (used >= network_.options_.buffer_bytes) {
          auto wait = suspend<Result<void>>([&](Resolver<Result<void>> resolve) {
            if (network_.dead(own().host)) return;
            INVARIANT(!own().room_waiter, "one write at a time");
            own().room_waiter = resolve;
          });
          Result<void> room = co_await wait;
          if (!room) co_return room;
          continue;
        }
        const uint64_t room = network_.options_.buffer_bytes - used;
        const size_t n = std::min<uint64_t>({room, piece.size(), draw_piece()});
        network_.send(connection_, side_, std::string(piece.substr(0, n)));
        piece.remove_prefix(n);
      }
    }
    if (own().closed || own().broken) co_return fail(Errc::closed, "connection is closed");
    co_return Result<void>{};
  }

  void stop_reading() override {
    End& end = own();
    end.deaf = true;
    if (!network_.dead(end.host)) wake_reader(end, network_.random_);
  }

  void close() override {
    End& end = own();
    if (end.closed) return;
    end.closed = true;
    if (network_.dead(end.host)) return;
    wake_reader(end, network_.random_);
    wake_writer(end, fail(Errc::closed, "connection is closed"));
    end.arrived.clear();
    network_.send_end(connection_, side_);
  }

  std::string peer() const override { return connection_->ends[side_].peer; }
  bool encrypted() const override { return false; }

 private:
  End& own() { return connection_->ends[side_]; }
  End& other() { return connection_->ends[1 - side_]; }
  uint64_t draw_piece() {
    return network_.random_.pick(32) == 0
               ? 1 + network_.random_.pick(8)
               : 1 + network_.random_.pick(network_.options_.piece_bytes_max);
  }

  SimNetwork& network_;
  std::shared_ptr<Connection> connection_;
  int side_;
};

struct SimNetwork::Listener {
  HostId host = 0;
  std::string address;
  bool closed = false;
  std::deque<std::shared_ptr<Connection>> backlog;
  using Accepted = Result<std::unique_ptr<Stream>>;
  std::optional<Resolver<Accepted>> waiter;
};

class SimAcceptor final : public Acceptor {
 public:
  SimAcceptor(SimNetwork& network, std::shared_ptr<SimNetwork::Listener> listener)
      : network_(network), listener_(std::move(listener)) {}
  ~SimAcceptor() override { close(); }

  Task<Result<std::unique_ptr<Stream>>> accept() override {
    auto wait = suspend<SimNetwork::Listener::Accepted>([&](auto resolve) {
      if (network_.dead(listener_->host)) return;
      INVARIANT(!listener_->waiter, "one accept at a time");
      if (listener_->closed)
        resolve(fail(Errc::closed, "acceptor is closed"));
      else if (listener_->backlog.empty())
        listener_->waiter = resolve;
      else
        resolve(next());
    });
    co_return co_await wait;
  }

  void close() override {
    if (listener_->closed) return;
    listener_->closed = true;
    std::erase(network_.listeners_, listener_);
    if (network_.dead(listener_->host)) return;
    for (auto& connection : listener_->backlog) network_.send_end(connection, 1);
    listener_->backlog.clear();
    if (!listener_->waiter) return;
    auto waiter = *std::exchange(listener_->waiter, std::nullopt);
    waiter(fail(Errc::closed, "acceptor is closed"));
  }

 private:
  std::unique_ptr<Stream> next() {
    auto stream = std::make_unique<SimStream>(network_, listener_->backlog.front(), 1);
    listener_->backlog.pop_front();
    return stream;
  }

  SimNetwork& network_;
  std::shared_ptr<SimNetwork::Listener> listener_;
};

SimNetwork::SimNetwork(SimWorld& world, NetworkOptions options)
    : world_(world),
      options_(options),
      random_(world.random("network")),
      fault_random_(world.random("network faults")) {}

SimNetwork::~SimNetwork() = default;

int64_t SimNetwork::delay() {
  int64_t ns = options_.latency_min_ns + random_.exponential(options_.latency_mean_ns);
  if (random_.pick(1000) == 0) ns *= 20;
  return ns;
}

std::shared_ptr<Connection> SimNetwork::make_connection(HostId client, HostId server) {
  auto connection = std::make_shared<Connection>();
  connection->number = next_connection_++;
  connection->ends[0] = {client, "10.0.0." + std::to_string(server % 250) + ":9000"};
  connection->ends[1] = {server, "10.0.0." + std::to_string(client % 250) + ":" +
                                     std::to_string(10000 + connection->number % 50000)};
  std::erase_if(connections_, [](const auto& c) { return c.second.expired(); });
  connections_[connection->number] = connection;
  return connection;
}

std::unique_ptr<Acceptor> SimNetwork::listen(HostId host, std::string address) {
  auto listener = std::make_shared<Listener>();
  listener->host = host;
  listener->address = std::move(address);
  listeners_.push_back(listener);
  return std::make_unique<SimAcceptor>(*this, std::move(listener));
}

std::shared_ptr<SimNetwork::Listener> SimNetwork::pick_listener(const std::string& address) {
  std::vector<std::shared_ptr<Listener>> there;
  for (const auto& listener : listeners_)
    if (listener->address == address && listener->backlog.size() < kBacklogMax)
      there.push_back(listener);
  return there.empty() ? nullptr : there[random_.pick(there.size())];
}

Task<Result<std::unique_ptr<Stream>>> SimNetwork::connect(HostId host, std::string address) {
  using Connected = Result<std::unique_ptr<Stream>>;
  auto wait = suspend<Connected>([&](Resolver<Connected> resolve) {
    if (dead(host)) return;
    world_.after(delay() * 2, [this, host, address, resolve] {
      if (dead(host)) return;
      const auto chosen = pick_listener(address);
      if (!chosen) {
        world_.trace("refused", host);
        if (!fault_random_.happens(options_.black_hole_per_million))
          return resolve(fail(Errc::closed, "connection refused"));
        world_.after(fault_random_.between(kSecond, 5 * kSecond), [this, host, resolve] {
          if (!dead(host)) resolve(fail(Errc::timed_out, "no answer to connect"));
        });
        return;
      }
      Listener& listener = *chosen;
      auto connection = make_connection(host, listener.host);
      world_.trace("connect", host, connection->number);
      resolve(std::make_unique<SimStream>(*this, connection, 0));
      if (listener.waiter) {
        auto waiter = *std::exchange(listener.waiter, std::nullopt);
        waiter(std::make_unique<SimStream>(*this, connection, 1));
      } else {
        listener.backlog.push_back(std::move(connection));
      }
    });
  });
  co_return co_await wait;
}

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> SimNetwork::pair(HostId a, HostId b) {
  auto connection = make_connection(a, b);
  return {std::make_unique<SimStream>(*this, connection, 0),
          std::make_unique<SimStream>(*this, connection, 1)};
}

void SimNetwork::send(const std::shared_ptr<Connection>& connection, int side, std::string bytes) {
  if (connection->cut) return;  // Into the void; the sender does not know yet.
  if (options_.cut_per_million && fault_random_.happens(options_.cut_per_million))
    return cut(connection);
  End& to = connection->ends[1 - side];
  to.coming_bytes += bytes.size();
  to.last_due_ns = std::max(to.last_due_ns + 1, world_.now_ns() + delay());
  world_.at(to.last_due_ns, [this, connection, side, bytes = std::move(bytes)]() mutable {
    End& end = connection->ends[1 - side];
    end.coming_bytes -= bytes.size();
    if (connection->cut || dead(end.host)) return;
    if (end.closed) {  // Nobody reads it: a reset goes back.
      world_.after(delay(), [this, connection, side] { arrive_break(connection, side); });
      return;
    }
    world_.trace("bytes", connection->number * 2 + static_cast<uint64_t>(side), hash_bytes(bytes));
    if (end.arrived.empty())
      end.arrived = std::move(bytes);
    else
      end.arrived += bytes;
    wake_reader(end, random_);
  });
}

void SimNetwork::send_end(const std::shared_ptr<Connection>& connection, int side) {
  if (connection->cut) return;
  End& to = connection->ends[1 - side];
  to.last_due_ns = std::max(to.last_due_ns + 1, world_.now_ns() + delay());
  world_.at(to.last_due_ns, [this, connection, side] {
    End& end = connection->ends[1 - side];
    if (connection->cut || end.closed || dead(end.host)) return;
    world_.trace("end", connection->number * 2 + static_cast<uint64_t>(side));
    end.no_more = true;
    wake_reader(end, random_);
    // Nobody reads there any more: what this end sends is answered by a reset.
    wake_writer(end, fail(Errc::closed, "connection was closed by its peer"));
  });
}

void SimNetwork::cut(const std::shared_ptr<Connection>& connection) {
  connection->cut = true;
  ++cuts_;
  world_.trace("cut", connection->number);
  for (int side : {0, 1}) {
    const int64_t learns = delay() + fault_random_.exponential(200 * kMillisecond);
    world_.after(learns, [this, connection, side] { arrive_break(connection, side); });
  }
}

void SimNetwork::arrive_break(const std::shared_ptr<Connection>& connection, int side) {
  End& end = connection->ends[side];
  if (end.closed || end.broken || dead(end.host)) return;
  world_.trace("break", connection->number * 2 + static_cast<uint64_t>(side));
  end.broken = true;
  if (random_.pick(2) == 0) end.arrived.clear();  // A reset may overtake what was not read.
  wake_reader(end, random_);
  wake_writer(end, fail(Errc::closed, "connection is broken"));
}

void SimNetwork::crash(HostId host) {
  INVARIANT(Loop::current() == nullptr, "a crash comes from outside every loop");
  dead_hosts_.insert(host);
  std::erase_if(listeners_, [&](const auto& l) { return l->host == host; });
  for (auto& [number, weak] : connections_) {
    auto connection = weak.lock();
    if (!connection) continue;
    for (int side : {0, 1}) {
      End& end = connection->ends[side];
      if (end.host != host) continue;
      end.reader.reset();
      end.room_waiter.reset();
      if (connection->cut) continue;
      // What is under way arrives, or not; then the peer finds that nobody is there.
      if (fault_random_.pick(2) == 0) connection->cut = true;
      End& peer = connection->ends[1 - side];
      peer.last_due_ns = std::max(peer.last_due_ns + 1, world_.now_ns() + delay());
      world_.at(peer.last_due_ns, [this, connection, side] { arrive_break(connection, 1 - side); });
    }
  }
  world_.trace("host crash", host);
}

}  // namespace kura::sim
