import ArgumentParser
import Cache
import EventModel

/// `recorder cache stats`: hits, misses, size and age.
struct CacheStatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Shows what lies in the caches' tables, and what the caches of each process did.",
        discussion: """
            Processes report every ten seconds; those that were silent for a day are left out. A table's hits are those \
            of its rows in the memory of processes. With --json there is one object for each table, then one for each \
            process and kind.

            EXAMPLES
              recorder cache stats
              recorder cache stats --json | jq 'select(.process) | .memoryHits'
            """
    )

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let (tables, processes) = try await settings.withPool { pool in
            let caches = CacheAdministration(pool)
            return (try await caches.tables(), try await caches.processes())
        }
        Self.tableTable.print(tables, json: options.json, Self.encode)
        if !options.json {
            StandardOutput.shared.line("")
            guard !processes.isEmpty else { return StandardOutput.shared.line("no process has used a cache for a day") }
        }
        Self.processTable.print(processes, json: options.json, Self.encode)
    }

    private static let tableTable = TextTable<CacheAdministration.TableFigures>([
        .init("cache") { $0.kind.rawValue },
        .init("rows", .right) { Counted.grouped($0.rows) },
        .init("expired", .right) { Counted.grouped($0.expired) },
        .init("memory hits", .right) { Counted.grouped($0.hits) },
        .init("bytes", .right) { Counted.grouped($0.bytes) },
        .init("oldest (UTC)") { Figures.moment(Timestamp($0.oldest)) },
        .init("newest (UTC)") { Figures.moment(Timestamp($0.newest)) },
    ])

    private static let processTable = TextTable<CacheAdministration.ProcessFigures>([
        .init("process") { $0.name },
        .init("cache") { $0.figures.kind.rawValue },
        .init("memory hits", .right) { Counted.grouped($0.figures.memoryHits) },
        .init("table hits", .right) { Counted.grouped($0.figures.tableHits) },
        .init("misses", .right) { Counted.grouped($0.figures.misses) },
        .init("joined", .right) { Counted.grouped($0.figures.joined) },
        .init("refreshed", .right) { Counted.grouped($0.figures.refreshed) },
        .init("evicted", .right) { Counted.grouped($0.figures.evicted) },
        .init("failed", .right) { Counted.grouped($0.figures.failed) },
        .init("entries", .right) { Counted.grouped($0.figures.entries) },
        .init("bytes", .right) { Counted.grouped($0.figures.bytes) },
        .init("reported (UTC)") { Figures.moment(Timestamp($0.reportedAt)) },
    ])

    private static func encode(_ line: inout JSONLine, _ table: CacheAdministration.TableFigures) {
        line.field("cache", table.kind.rawValue)
        line.field("rows", table.rows)
        line.field("expired", table.expired)
        line.field("hits", table.hits)
        line.field("bytes", table.bytes)
        line.field("oldest", Timestamp(table.oldest))
        line.field("newest", Timestamp(table.newest))
    }

    private static func encode(_ line: inout JSONLine, _ process: CacheAdministration.ProcessFigures) {
        line.field("process", process.name)
        line.field("cache", process.figures.kind.rawValue)
        line.field("memoryHits", process.figures.memoryHits)
        line.field("tableHits", process.figures.tableHits)
        line.field("misses", process.figures.misses)
        line.field("joined", process.figures.joined)
        line.field("refreshed", process.figures.refreshed)
        line.field("evicted", process.figures.evicted)
        line.field("failed", process.figures.failed)
        line.field("entries", process.figures.entries)
        line.field("bytes", process.figures.bytes)
        line.field("startedAt", Timestamp(process.startedAt))
        line.field("reportedAt", Timestamp(process.reportedAt))
    }
}
