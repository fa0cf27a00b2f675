/// What a run of benchmarks is to do.
package struct BenchmarkOptions: Sendable {
    /// About how many events a round uses.
    package var events: Int
    /// How many events a round uses where memory is measured; `nil` for as many as the others.
    package var memoryEvents: Int?
    /// How many producers append at once.
    package var producers: Int
    /// How often each measurement is made, together with its limit.
    package var rounds: Int
    /// A file of events to use; `nil` for simulated ones.
    package var input: String?
    /// A server to use; `nil` starts one.
    package var databaseURL: String?
    /// Whether to measure on a server that may lose what it acknowledged.
    package var allowsUndurable: Bool
    /// How many events the aged log holds.
    package var agedEvents: Int
    /// The path of this program, for measurements that run it as a process of its own.
    package var program: String

    package init(
        events: Int = 200_000,
        memoryEvents: Int? = nil,
        producers: Int = 64,
        rounds: Int = 3,
        input: String? = nil,
        databaseURL: String? = nil,
        allowsUndurable: Bool = false,
        agedEvents: Int = 10_000_000,
        program: String
    ) {
        self.events = events
        self.memoryEvents = memoryEvents
        self.producers = producers
        self.rounds = rounds
        self.input = input
        self.databaseURL = databaseURL
        self.allowsUndurable = allowsUndurable
        self.agedEvents = agedEvents
        self.program = program
    }
}
