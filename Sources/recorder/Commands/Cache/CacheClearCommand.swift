import ArgumentParser
import Cache
import EventModel

/// `recorder cache clear`: empties caches, in the database and in every process that hears of it.
struct CacheClearCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear",
        abstract: "Empties caches, in the database and in the memory of every process that hears of it.",
        discussion: """
            Without --kind and --user everything goes; it is computed again when it is asked for. Embeddings belong to \
            no user and stay when one is named. With --expired only what is not served any more is deleted, with the \
            limits that nobody uses; processes with caches do that every minute themselves.

            A process behind PgBouncer, or one whose service does not run its caches, hears of nothing. It keeps nothing of \
            a user in memory; embeddings stay there until they expire or it calls catchUp().

            EXAMPLES
              recorder cache clear
              recorder cache clear --kind embedding
              recorder cache clear --user 019cad8f-ac00-7e4e-a7b6-815d4e98868f
              recorder cache clear --expired
            """
    )

    @Option(help: "Only this cache: embedding, vector_search or llm_response.")
    var kind: CacheKind?

    @Option(help: ArgumentHelp("Only what was computed for this user.", valueName: "uuid"))
    var user: StreamID?

    @Flag(help: "Only delete what has expired.")
    var expired = false

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        if expired, kind != nil || user != nil {
            throw ValidationError("--expired goes with neither --kind nor --user.")
        }
        if kind == .embedding, user != nil {
            throw ValidationError("Embeddings belong to no user: leave out --user, or name another --kind.")
        }
    }

    func run() async throws {
        let settings = try await options.settings()
        if expired {
            let rows = try await settings.withPool { try await CacheAdministration($0).sweep() }
            guard options.json else {
                return StandardOutput.shared.line("\(Counted.text(rows, "expired row")) deleted")
            }
            return JSONLine.print { $0.field("expired", rows) }
        }
        let cleared = try await settings.withPool { pool in
            try await CacheAdministration(pool).clear(kind: kind, user: user?.uuid)
        }
        for (kind, rows) in cleared {
            if options.json {
                JSONLine.print { line in
                    line.field("cache", kind.rawValue)
                    line.field("rows", rows)
                }
            } else {
                StandardOutput.shared.line("\(kind.rawValue): \(Counted.text(rows, "row")) deleted")
            }
        }
    }
}
