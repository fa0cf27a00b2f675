public import ArgumentParser
public import Cache
public import EventModel

extension StreamID: ExpressibleByArgument {
    /// Reads a UUID.
    public init?(argument: String) { self.init(argument) }
}

extension Timestamp: ExpressibleByArgument {
    /// Reads an RFC 3339 time, or a day, which means its first moment in UTC.
    public init?(argument: String) {
        self.init(argument.count == 10 ? "\(argument)T00:00:00Z" : argument)
    }
}

extension Money: ExpressibleByArgument {
    /// Reads US dollars in plain digits.
    public init?(argument: String) { self.init(argument) }
}

extension CacheKind: ExpressibleByArgument {}
