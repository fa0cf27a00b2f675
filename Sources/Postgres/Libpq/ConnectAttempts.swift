internal import CLibpq

/// The attempts that a URL asks for, one after another until one works.
///
/// `PQconnectPoll` leaves time to its caller: it waits without end for a host that accepts and says nothing, and never comes to
/// the next. So each host is an attempt of its own, with a bound of its own.
///
/// What the session must be is checked by libpq at each host alone, which comes to the same for all values of
/// `target_session_attrs` but `prefer-standby`: that is a round for a standby, then one for anything. Unlike libpq, a host that
/// refuses the login does not keep the others from being tried. Lists that have empty entries, or that a service file gives, are
/// left to libpq as a whole.
///
/// Source: PostgreSQL manual, 34.1.1.3 "Specifying Multiple Hosts" and 34.1.2 "Parameter Key Words".
struct ConnectAttempts {
    /// For each attempt, the keywords that go before the URL's.
    let keywords: [[(String, String)]]
    /// How long the URL lets an attempt take; `nil` if it does not say.
    let timeout: Duration?

    /// - Parameter url: A libpq connection string or URI; what it leaves open comes from the environment.
    /// - Throws: ``PostgresError`` with `.connectionFailed` if it cannot be read.
    init(url: String) throws(PostgresError) {
        let options = unsafe Self.options(of: PQconndefaults()).merging(try Self.options(of: url)) { $1 }
        // Zero and less mean no bound, as does what is no number, which libpq refuses by itself.
        timeout = options["connect_timeout"].flatMap { Int($0) }.flatMap { $0 > 0 ? .seconds($0) : nil }
        let hosts = Self.hosts(options)
        guard hosts.count > 1, options["service"] == nil else {
            keywords = [[]]
            return
        }
        let order = options["load_balance_hosts"] == "random" ? hosts.shuffled() : hosts
        guard options["target_session_attrs"] == "prefer-standby" else {
            keywords = order
            return
        }
        keywords = ["standby", "any"].flatMap { wanted in order.map { $0 + [("target_session_attrs", wanted)] } }
    }

    /// The keywords of each host; none if there are not several that can be tried one by one.
    private static func hosts(_ options: [String: String]) -> [[(String, String)]] {
        func list(_ keyword: String) -> [String] {
            options[keyword]?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
        }
        let (addresses, ports) = (list("hostaddr"), list("port"))
        let names = options["host"] == nil ? addresses : list("host")
        // An empty keyword would not go before the URL's list; lists that do not fit are libpq's to refuse.
        guard !(names + addresses + ports).contains(""), addresses.isEmpty || addresses.count == names.count,
            ports.count <= 1 || ports.count == names.count
        else { return [] }
        return names.indices.map { index in
            var keywords = [("host", names[index])]
            if !addresses.isEmpty { keywords.append(("hostaddr", addresses[index])) }
            if let port = ports.count > 1 ? ports[index] : ports.first { keywords.append(("port", port)) }
            return keywords
        }
    }

    /// The options that a URL gives.
    ///
    /// - Throws: ``PostgresError`` whose message holds nothing of the URL: libpq's would quote what it took for a port,
    ///   a host or an option, and that is often a part of the password.
    private static func options(of url: String) throws(PostgresError) -> [String: String] {
        // As libpq tells them apart, anything else is the name of a database.
        guard url.contains(#/^postgres(ql)?://|=/#) else { return [:] }
        guard let list = unsafe PQconninfoParse(url, nil) else { throw unreadable }
        let options = unsafe options(of: list)
        // User and password of a URI end at the first @, and are none behind a slash.
        guard !url.contains(#/^postgres(ql)?://[^?@/]*[@/][^?]*@/#),
            options["port"]?.allSatisfy({ "0123456789, ".contains($0) }) != false
        else { throw unreadable }
        return options
    }

    private static let unreadable = PostgresError(
        .connectionFailed,
        "cannot connect: the connection string cannot be read. In a URL, percent-encode % / @ : ? # in user and "
            + "password; else, quote values that hold spaces; and name no option that libpq does not know"
    )

    /// The options that have a value; frees the list.
    private static func options(of list: UnsafeMutablePointer<PQconninfoOption>?) -> [String: String] {
        guard let list = unsafe list else { return [:] }
        defer { unsafe PQconninfoFree(list) }
        var options: [String: String] = [:]
        var option = unsafe list
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                unsafe options[String(cString: keyword)] = String(cString: value)
            }
            unsafe option += 1
        }
        return options
    }
}
