package import Postgres

/// A condition on event types that the server checks, for readers that want few of them.
///
/// The server may let more types through than the filter means, so readers must check the types again.
package struct EventTypeFilter: Hashable, Sendable {
    private let names: [String]
    /// Patterns for LIKE.
    private let patterns: [String]

    /// - Parameter handled: Event types; `noun.*` stands for all types of a noun.
    /// - Returns: `nil` if one of them is `*`: then all types are wanted.
    package init?(_ handled: some Sequence<String>) {
        let handled = Set(handled)
        guard !handled.contains("*") else { return nil }
        names = handled.filter { !$0.hasSuffix(".*") }.sorted()
        patterns = handled.filter { $0.hasSuffix(".*") }.map { $0.dropLast() + "%" }.sorted()
    }

    /// The condition that limits a statement to the filter's types; its two parameters are numbered from `first`.
    ///
    /// It looks types up in the statement's own snapshot, so even a type interned with the newest event is found.
    package static func condition(_ filter: EventTypeFilter?, from first: Int) -> String {
        guard filter != nil else { return "" }
        return "and type = any(array("
            + "select id from event_types where name = any($\(first)::text[]) or name like any($\(first + 1)::text[])))"
    }

    package func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(names)
        try parameters.append(patterns)
    }
}
