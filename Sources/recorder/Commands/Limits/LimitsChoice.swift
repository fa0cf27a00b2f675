import ArgumentParser
import EventModel

/// Whose limits.
struct LimitsChoice: ParsableArguments {
    @Option(help: ArgumentHelp("Only of this user.", valueName: "uuid"))
    var user: StreamID?

    @Option(help: ArgumentHelp("Only of this endpoint.", valueName: "name"))
    var endpoint: String?
}
