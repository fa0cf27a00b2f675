public import EventModel

/// What one kind of token of a model costs, from a moment on.
public struct ModelPrice: Hashable, Sendable {
    /// A kind of token.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// Read by the model.
        case input
        /// Read by the model, from a cache.
        case inputCacheRead = "input_cache_read"
        /// Written by the model.
        case output
    }

    /// The model.
    public let model: String
    /// The kind of token.
    public let kind: Kind
    /// US dollars per token, exact.
    public let usdPerToken: Money
    /// When it begins to apply; nil for all times.
    public let validFrom: Timestamp?

    /// Puts a price together.
    public init(model: String, kind: Kind, usdPerToken: Money, validFrom: Timestamp? = nil) {
        self.model = model
        self.kind = kind
        self.usdPerToken = usdPerToken
        self.validFrom = validFrom
    }

    /// Reads a file of prices: `{"models": {"MODEL": {"input": "0.000005", …}}}`, each price a string or a number, with
    /// an optional `source` beside `models`.
    ///
    /// - Parameters:
    ///   - json: The file.
    ///   - validFrom: When they begin to apply; nil for all times.
    /// - Throws: ``ReadModelError`` with `.invalidArgument` that names the model and the kind at fault.
    public static func list(json: [UInt8], validFrom: Timestamp? = nil) throws(ReadModelError) -> [ModelPrice] {
        let root: JSONValue
        do throws(EventModelError) {
            root = try JSONValue(json: json)
        } catch {
            throw ReadModelError(.invalidArgument, "it is not JSON: \(error.message)", cause: error)
        }
        guard case .object(let models) = root["models"] else {
            throw ReadModelError(
                .invalidArgument,
                "it has no object \"models\", which holds a model's prices by its name"
            )
        }
        // A member that is ignored may say how prices are meant, such as a currency.
        if case .object(let members) = root,
            let other = members.first(where: { !["models", "source"].contains($0.name) })
        {
            throw ReadModelError(
                .invalidArgument,
                "\(other.name): a file of prices has \"models\", in US dollars a token, and \"source\"; take the rest out"
            )
        }
        var prices: [ModelPrice] = []
        var places: Set<String> = []
        for model in models {
            prices += try list(of: model.name, model.value, places: &places, validFrom: validFrom)
        }
        return prices
    }

    /// Reads one model's prices.
    ///
    /// - Parameter places: Where the file has prices, as far as it was read: a model may stand there twice.
    private static func list(
        of model: String,
        _ value: JSONValue,
        places: inout Set<String>,
        validFrom: Timestamp?
    ) throws(ReadModelError) -> [ModelPrice] {
        guard !model.isEmpty else {
            throw ReadModelError(
                .invalidArgument,
                "models: the name of a model is empty; give it the name that events bear"
            )
        }
        guard case .object(let members) = value else {
            throw ReadModelError(.invalidArgument, "models.\(model): it is not an object of prices")
        }
        var prices: [ModelPrice] = []
        for member in members {
            let place = "models.\(model).\(member.name)"
            guard let kind = Kind(rawValue: member.name) else {
                let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw ReadModelError(.invalidArgument, "\(place): it is none of \(kinds)")
            }
            guard places.insert(place).inserted else {
                throw ReadModelError(.invalidArgument, "\(place): it is there twice")
            }
            guard let price = member.value.money, !price.isNegative else {
                throw ReadModelError(.invalidArgument, "\(place): it is no price, such as \"0.000005\"")
            }
            prices.append(ModelPrice(model: model, kind: kind, usdPerToken: price, validFrom: validFrom))
        }
        return prices
    }
}
