internal import Glibc

/// What the system says about its errors.
package enum SystemMessage {
    /// The text for a value of `errno`.
    package static func of(_ number: Int32) -> String {
        unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
    }
}
