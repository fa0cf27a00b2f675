internal import CLibpq

/// The connection attempts that a URL asks for, to be made in order until one works.
///
/// `PQconnectPoll` leaves time limits to its caller: it waits without end for a host that accepts and says nothing, and
/// never gets to the next; and it looks names up itself, without any bound. So each address of each host is an attempt
/// of its own, with its own bound. The name stays in the attempt, for TLS and passwords.
///
/// libpq checks at each address by itself what the session must be. For all values of `target_session_attrs` except
/// `prefer-standby` this comes to the same; that one means a round for a standby, then a round for any server. Unlike
/// with libpq, an address that refuses the login, or is not what the session must be, does not keep the others from
/// being tried. Lists that have empty entries, or that a service file gives, are left to libpq as a whole.
///
/// Source: PostgreSQL manual, 34.1.1.3 "Specifying Multiple Hosts" and 34.1.2 "Parameter Key Words".
struct ConnectAttempts {
    /// The keywords of each attempt, which override the URL's.
    let keywords: [[String: String]]
    /// Whether hosts, and the addresses of each host, are tried in random order.
    let isRandom: Bool
    /// The URL's time limit for an attempt; `nil` if it gives none.
    let timeout: Duration?

    /// - Parameter url: A libpq connection string or URI; what it does not say comes from the environment.
    /// - Throws: ``PostgresError`` with `.connectionFailed` if it cannot be read.
    init(url: String) throws(PostgresError) {
        let options = unsafe Self.options(of: PQconndefaults()).merging(try Self.options(of: url)) { $1 }
        // Zero or less means no bound; so does text that is not a number, which libpq itself refuses.
        timeout = options["connect_timeout"].flatMap { Int($0) }.flatMap { $0 > 0 ? .seconds($0) : nil }
        isRandom = options["load_balance_hosts"] == "random"
        let hosts = Self.hosts(options)
        guard !hosts.isEmpty, options["service"] == nil else {
            keywords = [[:]]
            return
        }
        let order = isRandom ? hosts.shuffled() : hosts
        guard options["target_session_attrs"] == "prefer-standby" else {
            keywords = order
            return
        }
        keywords = ["standby", "any"].flatMap { wanted in
            order.map { host in host.merging(["target_session_attrs": wanted]) { $1 } }
        }
    }

    /// The name that must be looked up before a host can be tried; `nil` for an address and for a socket's folder.
    static func name(of host: [String: String]) -> String? {
        guard let name = host["host"], host["hostaddr"] == nil, !name.hasPrefix("/"), !name.hasPrefix("@") else {
            return nil
        }
        return name
    }

    /// The keywords of each host; empty if the hosts cannot be tried one by one.
    private static func hosts(_ options: [String: String]) -> [[String: String]] {
        func list(_ keyword: String) -> [String] {
            options[keyword]?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
        }
        let lists = ["host": list("host"), "hostaddr": list("hostaddr"), "port": list("port")].filter { !$1.isEmpty }
        let count = (lists["hostaddr"] ?? lists["host"] ?? []).count
        // An empty keyword would not override the URL's list; lists whose lengths differ are left to libpq to refuse.
        let fits = lists.allSatisfy { keyword, list in
            !list.contains("") && (list.count == count || keyword == "port" && list.count == 1)
        }
        guard fits else { return [] }
        return (0..<count).map { index in lists.mapValues { $0.count > 1 ? $0[index] : $0[0] } }
    }

    /// The options that a URL gives.
    ///
    /// - Throws: ``PostgresError``, whose message holds nothing of the URL: libpq's message would quote what it took
    ///   for a port, a host or an option, and that is often a part of the password.
    private static func options(of url: String) throws(PostgresError) -> [String: String] {
        // libpq takes anything else for the name of a database.
        guard url.contains(#/^postgres(ql)?://|=/#) else { return [:] }
        guard let list = unsafe PQconninfoParse(url, nil) else { throw unreadable }
        let options = unsafe options(of: list)
        // In a URI, user and password end at the first @ and cannot follow a slash; another @ is part of an unencoded
        // password.
        guard !url.contains(#/^postgres(ql)?://[^?@/]*[@/][^?]*@/#),
            options["port"]?.allSatisfy({ "0123456789, ".contains($0) }) != false
        else { throw unreadable }
        return options
    }

    private static let unreadable = {
        var error = PostgresError(
            .connectionFailed,
            "cannot connect: the connection string cannot be read. In a URL, percent-encode % / @ : ? # in user and "
                + "password; else, quote values that hold spaces; and name no option that libpq does not know"
        )
        error.isLasting = true
        return error
    }()

    /// The options that have a value; frees `list`.
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
