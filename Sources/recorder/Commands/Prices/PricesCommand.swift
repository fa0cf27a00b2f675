import ArgumentParser

/// `recorder prices`: what tokens cost.
struct PricesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prices",
        abstract: "Loads and lists the prices of models, from which costs are computed.",
        discussion: """
            EXAMPLES
              recorder prices load model-prices.json
              recorder prices list
            """,
        subcommands: [PricesLoadCommand.self, PricesListCommand.self]
    )
}
