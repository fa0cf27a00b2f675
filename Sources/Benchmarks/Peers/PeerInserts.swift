/// `peer.insert`: clients that store each event as a row in a transaction of its own, at 1, 8, 32 and 64 clients,
/// beside as many producers of the recorder that wait for each acknowledgement.
struct PeerInserts: Benchmark {
    private static let clients = [1, 8, 32, 64]

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        var measurements: [Measurement] = []
        for clients in Self.clients {
            measurements.append(try await PlainClients.measure("peer.insert.\(clients)", clients: clients, in: run))
        }
        return measurements
    }
}
