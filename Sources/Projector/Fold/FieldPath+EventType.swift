internal import EventModel
internal import Schema

extension FieldPath {
    /// Whether the contract of events gives the field to other types of sessions and turns, but not to this one.
    func isForeign(to type: EventType) -> Bool {
        guard root == .data, let name = names.first, let own = type.fields else { return false }
        return !own.contains(name) && EventType.allFields.contains(name)
    }
}
