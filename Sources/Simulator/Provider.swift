/// A service that runs a stage: its names, its speed, and what it charges.
struct Provider: Sendable {
    /// Whether and how an event carries the cost.
    enum Billing: Sendable {
        /// As a JSON string.
        case text
        /// As a JSON number.
        case number
        /// Not at all; the recorder computes it from its prices, or does not know it.
        case absent
    }

    /// The service's name.
    let name: String
    /// The model's name.
    let model: String
    /// The median latency, in milliseconds.
    let median: Double
    /// How long the tail is: the deviation of the latency's logarithm.
    let sigma: Double
    /// Billionths of a US dollar for a unit: a token in, a second of audio, a character.
    let price: Int64
    /// The same for a token out.
    var outputPrice: Int64 = 0
    /// How an event carries the cost.
    let billing: Billing

    /// Speech recognition.
    static let recognizers = [
        Provider(name: "google-speech", model: "latest_long", median: 240, sigma: 0.45, price: 266_667, billing: .text),
        Provider(name: "deepgram", model: "nova-3", median: 160, sigma: 0.4, price: 128_333, billing: .number),
        Provider(name: "whisper-local", model: "large-v3-turbo", median: 420, sigma: 0.5, price: 0, billing: .absent),
    ]

    /// Language models. Anthropic's are in the price list, so their events leave the cost to the recorder.
    static let models = [
        Provider(
            name: "openai",
            model: "gpt-4o-mini",
            median: 620,
            sigma: 0.55,
            price: 150,
            outputPrice: 600,
            billing: .text
        ),
        Provider(
            name: "openai",
            model: "gpt-4.1-mini",
            median: 540,
            sigma: 0.5,
            price: 400,
            outputPrice: 1600,
            billing: .number
        ),
        Provider(
            name: "anthropic",
            model: "claude-haiku-4-5-20251001",
            median: 580,
            sigma: 0.5,
            price: 0,
            billing: .absent
        ),
        Provider(
            name: "anthropic",
            model: "claude-sonnet-4-5-20250929",
            median: 1150,
            sigma: 0.6,
            price: 0,
            billing: .absent
        ),
        Provider(
            name: "anthropic",
            model: "claude-sonnet-4-20250514",
            median: 1220,
            sigma: 0.6,
            price: 0,
            billing: .absent
        ),
        Provider(name: "in-house", model: "qwen3-14b-voice", median: 380, sigma: 0.7, price: 0, billing: .absent),
    ]

    /// Speech synthesis.
    static let synthesizers = [
        Provider(name: "xtts-v2", model: "xtts-v2", median: 210, sigma: 0.4, price: 15_000, billing: .text),
        Provider(
            name: "elevenlabs",
            model: "eleven_flash_v2_5",
            median: 140,
            sigma: 0.35,
            price: 50_000,
            billing: .number
        ),
        Provider(name: "azure-speech", model: "neural", median: 190, sigma: 0.4, price: 16_000, billing: .text),
    ]
}
