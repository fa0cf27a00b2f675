internal import EventModel
internal import Schema

extension FieldPath {
    /// Whether, by the contract of events, the field belongs to types of
    /// sessions and turns, but not to this one of them.
    func isForeign(to type: EventType) -> Bool {
        guard root == .data, let name = names.first, let own = type.fields else { return false }
        return !own.contains(name) && EventType.allFields.contains(name)
    }
}
