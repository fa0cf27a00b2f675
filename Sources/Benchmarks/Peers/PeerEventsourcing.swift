internal import Foundation
internal import Postgres

/// `peer.eventsourcing`: Python's library of that name with its own recorder and tables, in 1 and in 8 processes that
/// wait for each acknowledgement, beside as many producers of this recorder.
///
/// The library stores the events' JSON as it is: neither its aggregates nor its transcoder are measured.
struct PeerEventsourcing: Benchmark {
    private static let clients = [1, 8]

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let python: PeerPython
        do {
            python = try await PeerPython.find()
        } catch let error as BenchmarkError {
            run.notice("peer.eventsourcing is left out: \(error)")
            return []
        }
        var measurements: [Measurement] = []
        for clients in Self.clients {
            let loop = ClosedLoop(producers: clients, in: run)
            let limit = "eventsourcing \(python.version) with psycopg, \(clients) processes, one event a transaction"
            measurements.append(
                try await InputFile.with(Self.writing(loop.shares)) { path in
                    try await loop.measure("peer.eventsourcing.\(clients)", against: limit, in: run) { database in
                        let printed = try await python.run([Self.script, database.url, path])
                        guard let seconds = Double(printed) else {
                            throw BenchmarkError(.process, "the peer printed no seconds, but: \(printed)")
                        }
                        return .seconds(seconds)
                    }
                }
            )
        }
        return measurements
    }

    /// Writes each client's lines, with an empty line after each client.
    private static func writing(
        _ shares: [[BenchmarkInput.Line]]
    ) -> ((BenchmarkInput.Line) throws -> Void) throws -> Void {
        { write in
            for share in shares {
                try share.forEach(write)
                guard let last = share.last else { continue }
                try write(BenchmarkInput.Line(stream: last.stream, json: []))
            }
        }
    }

    /// Uses the library's optional database functions, which make it faster.
    private static let script = """
        from json import dumps, loads
        from multiprocessing import Barrier, Process
        from sys import argv
        from time import perf_counter
        from uuid import UUID
        from eventsourcing.persistence import StoredEvent
        from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
        from psycopg.conninfo import conninfo_to_dict


        def recorder(url):
            words = conninfo_to_dict(url)
            datastore = PostgresDatastore(
                words["dbname"], words.get("host", ""), words.get("port", ""), words.get("user", ""),
                words.get("password", ""), enable_db_functions=True,
            )
            return PostgresApplicationRecorder(datastore)


        def events(lines):
            versions = {}
            for line in lines:
                event = loads(line)
                stream = UUID(event["stream"])
                versions[stream] = versions.get(stream, 0) + 1
                state = dumps([event.get("data", {}), event.get("metadata", {})], separators=(",", ":"))
                yield StoredEvent(stream, versions[stream], event["type"], state.encode())


        def append(url, lines, start, end):
            try:
                mine, log = list(events(lines)), recorder(url)
                log.select_events(mine[0].originator_id)
                start.wait()
                for event in mine:
                    log.insert_events([event])
                end.wait()
            except BaseException:
                start.abort()
                end.abort()
                raise
            log.datastore.close()


        url, path = argv[1:]
        with open(path, encoding="utf-8") as file:
            shares = [share.split("\\n") for share in file.read().strip("\\n").split("\\n\\n")]
        tables = recorder(url)
        tables.create_table()
        tables.datastore.close()
        start, end = Barrier(len(shares) + 1), Barrier(len(shares) + 1)
        clients = [Process(target=append, args=(url, share, start, end)) for share in shares]
        for client in clients:
            client.start()
        start.wait()
        begin = perf_counter()
        end.wait()
        print(perf_counter() - begin)
        for client in clients:
            client.join()
        """
}
