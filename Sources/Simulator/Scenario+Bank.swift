extension Scenario {
    /// Calls to a bank.
    static let bank = Scenario(
        name: "bank",
        script: """
            open
            user: Hello, I do not recognise a payment of {amount} euros on my account.
            user: Hi, my name is {name}, and I think my card was used by somebody else.
            user: Good morning, I want to know why {amount} euros were taken from my account on {day}.
            agent: I am sorry to hear that. To look at your account, I first need the last four digits of your card.
            agent: Let us find out together. Could you tell me the last four digits of the card, please?

            step
            user: It is {digits}.
            user: The number ends in {digits}.
            user: Let me see, {digits}.
            agent: Thank you, {name}. I see a payment of {amount} euros on {day}, to a shop in {city}. Is that the one you mean?
            agent: Got it. There are two payments on {day}, one of them {amount} euros at a petrol station near {town}.
            tool: list_transactions
            found: {day} card {digits} amount {amount} euros merchant in {city} status booked
            found: {day} card {digits} amount 12.40 euros bakery in {town} status booked

            step
            user: I was not even in {city} that day.
            user: No, I have never bought anything there.
            agent: Understood. I will block the card ending in {digits} now, so that nothing else can happen, and open a dispute.
            agent: Then I recommend that we block this card at once. A new one reaches you within five working days. Is that fine?
            tool: block_card
            found: card {digits} blocked, replacement ordered to {street}

            step
            user: How long until I get my money back?
            user: When will the {amount} euros be returned?
            agent: For disputed card payments the amount is credited provisionally within two working days, while we look into it.
            agent: Usually ten days. If the merchant does not answer by then, the money stays with you.
            look: dispute of card payments refund time
            found: Disputed card payments are credited provisionally within two working days; the merchant has thirty days to answer
            found: A dispute can be raised up to thirteen months after the booking date

            step
            user: Is the address you have still {street}?
            user: Please send the new card to {street}.
            agent: Yes, that is the address on file. The letter with the new code follows a day after the card.
            agent: I have noted {street}. For your safety the card and its code come in separate letters.

            step
            user: Can I still pay with my phone until then?
            user: What do I use in the meantime, I am travelling on {day}.
            agent: You can. The virtual card in the app works right away, also for payments by phone.
            agent: Until the new card arrives you may draw cash with the app at any of our machines, up to {amount} euros a day.
            look: virtual card emergency cash
            found: A virtual card is ready immediately after a replacement was ordered; cash without card through the app

            step
            user: While we are at it, what does a standing order cost?
            user: Also, I would like to raise my transfer limit.
            agent: Standing orders are free in your plan, which is the {plan} account.
            agent: I can raise it to five thousand euros for one day. For more than that, a confirmation in the app is needed.

            step
            user: Will this show up in my credit report?
            user: Does any of this affect my rating?
            agent: No, a dispute or a new card has no influence on it whatsoever.
            agent: Not at all. Only unpaid loans would be reported, and you have none.

            close
            user: Okay, that calms me down. Thanks for your help.
            user: Thank you, I have got everything I wanted to know.
            agent: I am glad we could settle it, {name}. The case number is {ref}. Goodbye.
            agent: You are welcome. You will get a message as soon as there is news on case {ref}. Have a good day.
            """
    )
}
