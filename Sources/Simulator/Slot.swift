/// A place in a phrase that is filled from a list; a session fills all places of one name with the same value.
enum Slot: String, CaseIterable {
    case name, city, town, day, time, amount, digits, ref, item, doctor, street, plan, number

    /// The values that can fill it. References and digits are made by the session.
    var values: [String] {
        switch self {
        case .name:
            [
                "Anna Lis", "Tom Baker", "Priya Raman", "Jonas Weber", "Zoë Martin", "Łukasz Nowak", "Grace Osei",
                "Mehmet Kaya", "Ines Duarte", "Olaf Berg", "Hana Sato", "Daniel Cohen", "Marta Król", "Peter Novák",
            ]
        case .city: ["Kraków", "Bremen", "Leeds", "Lyon", "Turin", "Porto", "Ghent", "Graz", "Aarhus", "Brno"]
        case .town: ["Zakopane", "Lüneburg", "Harrogate", "Annecy", "Cuneo", "Braga", "Bruges", "Leoben", "Viborg"]
        case .day:
            [
                "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday morning", "the twelfth",
                "the third of May",
                "next Tuesday", "tomorrow", "the twenty-first",
            ]
        case .time: ["7:40", "8:15", "9:05", "ten past eleven", "12:30", "half past two", "15:48", "17:20", "19:00"]
        case .amount: ["18.90", "24.50", "39", "47.20", "59.99", "74", "112.35", "189", "240.80", "318.05"]
        case .item:
            [
                "a pair of headphones", "the coffee grinder", "a desk lamp", "the rain jacket", "two bicycle lights",
                "a bluetooth speaker", "the electric kettle", "a travel adapter",
            ]
        case .doctor: ["Dr. Albrecht", "Dr. Mwangi", "Dr. Fischer", "Dr. Kowalska", "Dr. Rossi", "Dr. Lindqvist"]
        case .street:
            [
                "12 Mill Lane", "Gartenstraße 7", "ul. Długa 24", "48 Harbour Road", "3 rue des Lilas",
                "101 Station Street",
            ]
        case .plan: ["Basic", "Home 100", "Comfort", "Home 250", "Plus"]
        case .number: ["two", "three", "five", "eleven", "fourteen", "thirty"]
        case .digits, .ref: []
        }
    }
}
