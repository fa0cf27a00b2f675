import ArgumentParser
import EventModel

/// The flags that choose limits, by user and by endpoint.
struct LimitsChoice: ParsableArguments {
    @Option(help: ArgumentHelp("Only of this user.", valueName: "uuid"))
    var user: StreamID?

    @Option(help: ArgumentHelp("Only of this endpoint.", valueName: "name"))
    var endpoint: String?
}
