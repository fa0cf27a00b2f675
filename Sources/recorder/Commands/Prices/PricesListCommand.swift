import ArgumentParser
import EventModel
import ReadModel

/// `recorder prices list`: the prices that were loaded.
struct PricesListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the prices that were loaded.",
        discussion: """
            EXAMPLES
              recorder prices list
            """
    )

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let prices = try await settings.withReadModels { try await $0.prices() }
        let table = TextTable<ModelPrice>([
            .init("model") { $0.model },
            .init("tokens") { $0.kind.rawValue },
            .init("USD a token", .right) { $0.usdPerToken.text },
            .init("valid from") { $0.validFrom?.description ?? "always" },
        ])
        table.print(prices, json: options.json) { line, price in
            line.field("model", price.model)
            line.field("kind", price.kind.rawValue)
            line.field("usdPerToken", price.usdPerToken)
            line.field("validFrom", price.validFrom)
        }
    }
}
