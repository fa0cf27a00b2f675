public import FoundationEssentials
package import Postgres

/// A prompt to a language model, on behalf of a user.
public struct LLMPrompt: Sendable, Hashable {
    /// The user on whose behalf it is sent.
    public let user: UUID
    /// The model.
    public let model: String
    /// Everything that the model reads.
    public let text: String
    /// What else the answer depends on, such as the temperature.
    public let parameters: String

    /// Makes a prompt.
    public init(user: UUID, model: String, text: String, parameters: String = "") {
        self.user = user
        self.model = model
        self.text = text
        self.parameters = parameters
    }
}

/// What a language model answered.
public struct LLMResponse: Sendable, Hashable {
    /// The answer.
    public let text: String
    /// How many tokens the model read, if reported.
    public let inputTokens: Int?
    /// How many tokens the model wrote, if reported.
    public let outputTokens: Int?

    /// Makes a response.
    public init(text: String, inputTokens: Int? = nil, outputTokens: Int? = nil) {
        self.text = text
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}

/// The answers of language models.
package enum LLMResponseContent: CacheContent {
    package static let kind = CacheKind.llmResponse
    package static let storedColumns = ["model", "response", "input_tokens", "output_tokens"]
    package static let valueColumns = ["response", "input_tokens", "output_tokens"]

    package static func address(of key: LLMPrompt) -> CacheAddress {
        CacheAddress(kind, user: key.user, parts: [key.model, key.text, key.parameters])
    }

    package static func cost(of value: LLMResponse) -> Int { 64 + value.text.utf8.count }

    package static func bind(
        _ key: LLMPrompt,
        _ value: LLMResponse,
        into parameters: inout PostgresParameters
    ) throws(PostgresError) {
        try parameters.append(key.model)
        try parameters.append(value.text)
        try parameters.append(value.inputTokens)
        try parameters.append(value.outputTokens)
    }

    package static func decode(_ row: borrowing PostgresRow, from column: Int) throws(PostgresError) -> LLMResponse {
        LLMResponse(
            text: try row.decode(at: column),
            inputTokens: try row.decode(at: column + 1),
            outputTokens: try row.decode(at: column + 2)
        )
    }
}
