import ArgumentParser

/// `recorder projections drop`: the end of a version, or of a projection.
struct ProjectionsDropCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: "Drops the tables and checkpoints of a version.",
        discussion: """
            A version that the views read is not dropped unless --with-views drops them too: that is how a projection of \
            your own ends. `recorder project` makes the recorder's own anew.

            EXAMPLES
              recorder projections drop conversation_turns --version 1
              recorder projections drop interruptions --version 1 --projections projections --with-views
            """
    )

    @Flag(help: "Drop the views too, if they read this version.")
    var withViews = false

    @OptionGroup var target: ProjectionVersionOptions

    func run() async throws {
        let (name, version) = (target.name, target.version)
        try await target.withVersions { try await $0.drop(name, version: version, withViews: withViews) }
        if target.options.json {
            JSONLine.print { line in
                line.field("projection", name)
                line.field("dropped", version)
            }
        } else {
            StandardOutput.shared.line("version \(version) of \(name) is gone")
        }
    }
}
