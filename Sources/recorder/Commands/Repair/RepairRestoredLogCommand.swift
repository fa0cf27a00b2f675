import ArgumentParser
import EventStore
import Postgres

/// `recorder repair restored-log`: adapts a log that was restored from another cluster's dump to this cluster.
struct RepairRestoredLogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restored-log",
        abstract: "Adapts a log that was restored from another cluster's dump to this cluster.",
        discussion: """
            A logical dump (pg_dump) brings along transaction ids that mean nothing in another cluster. Until they are \
            repaired, such a log takes no events and is not projected. One transaction gives its events other ids and its \
            checkpoints snapshots to match: read models go on where they were at the time of the dump, without loss or double. \
            It leaves a row in log_repairs. Run it as the log's owner or a superuser.

            Cursors that subscribers keep elsewhere do not hold any more: let them begin anew and reconcile by version.

            Before: stop the appenders, or restore into a new database, since one that goes on remembers what the log held; \
            restore the roles, without which the dump's rights and policies are lost; keep the schema's name, which functions \
            and triggers know.

            EXAMPLES
              pg_dumpall --roles-only > roles.sql    (at the source; psql passes over the roles that are there)
              psql --file=roles.sql && pg_restore --dbname=recorder recorder.dump && recorder repair restored-log
            """
    )

    @Option(
        help: ArgumentHelp(
            "The last position that came with the dump, where events were appended behind it.",
            valueName: "position"
        )
    )
    var restoredThrough: Int64?

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let repair = RestoredLogRepair(restoredThrough: restoredThrough)
        let outcome = try await settings.withPool { pool in
            try await pool.withConnection { connection in try await repair.run(on: connection) }
        }
        if options.json {
            return JSONLine.print { line in
                line.field("action", outcome?.action ?? "none")
                line.field("events", outcome.map { Int($0.events) })
                line.field("checkpoints", outcome?.cursors)
                line.field("repair", outcome.map { Int($0.id) })
            }
        }
        guard let outcome else {
            return StandardOutput.shared.line("nothing to repair: the log belongs to this cluster")
        }
        guard outcome.action == "rewritten" else {
            return StandardOutput.shared.line("the log's ids hold here as they are: it belongs to this cluster now")
        }
        StandardOutput.shared.line(
            "\(Counted.text(Int(outcome.events), "event")) and \(Counted.text(outcome.cursors, "snapshot")) of "
                + "checkpoints are adapted to this cluster; log_repairs has row \(outcome.id). VACUUM frees what the old "
                + "rows took"
        )
    }
}
