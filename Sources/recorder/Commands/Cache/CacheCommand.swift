import ArgumentParser

/// `recorder cache`: computed values that are kept for a while.
struct CacheCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Shows and empties the caches of embeddings, searches and responses.",
        discussion: """
            EXAMPLES
              recorder cache stats
              recorder cache clear --kind vector_search --user 019cad8f-ac00-7e4e-a7b6-815d4e98868f
              recorder cache clear --expired
            """,
        subcommands: [CacheStatsCommand.self, CacheClearCommand.self]
    )
}
