extension Scenario {
    /// Calls to the support of an online shop.
    static let shop = Scenario(
        name: "shop",
        script: """
            open
            user: Hi, I ordered {item} last week and it still has not arrived.
            user: Hello, my order number is {ref}, where is my parcel?
            user: I got {item} from you yesterday, and it does not switch on.
            agent: I am sorry about that. Let me look at order {ref} for a second.
            agent: Thanks for calling. Could you give me the order number, so I can see what happened to it?
            tool: get_order
            found: order {ref}: {item}, {amount} euros, handed to the carrier on {day}

            step
            user: Sure, it is {ref}.
            user: The e-mail says {ref}.
            agent: Thank you. The parcel with {item} left our warehouse on {day} and is now in {city}.
            agent: I have it here. {item}, sent on {day}. The carrier tried to deliver once, but nobody opened.
            tool: track_parcel
            found: {day} arrived at the depot in {city}
            found: {day} delivery attempted, recipient not at home, next attempt on the following working day

            step
            user: But I was at home the whole day.
            user: Nobody rang, and there was no note either.
            agent: That should not happen, and I will report it to the carrier. Would a pickup point near {street} be easier for you?
            agent: I understand that this is annoying. I can ask them to call your phone before the next attempt on {day}.

            step
            user: Have you got it in another colour?
            user: Would the same thing be available in green?
            agent: We have {item} in black, in sand and in dark green, all at {amount} euros.
            agent: Green is sold out at the moment, but more will come in around {day}. Do you want me to let you know?
            look: {item} colours stock
            found: {item}: black 14 in stock, sand 3 in stock, dark green expected {day}
            found: {item}: price {amount} euros, free delivery above fifty euros

            step
            user: I tried another socket and a new cable, nothing happens.
            user: The light blinks twice and then it goes dark again.
            agent: Then it is most likely the power unit. Please hold the button for ten seconds, and tell me what the light does.
            agent: Two blinks mean that the battery is empty beyond the usual. Leave it on the charger for half an hour first.
            look: {item} does not start two blinks
            found: Two blinks: deep discharge. Charge for thirty minutes, then hold the button for ten seconds
            found: If the light stays dark after charging, exchange under warranty within twenty-four months

            step
            user: Honestly, I would rather send it back.
            user: I want a refund, not a replacement.
            agent: No problem at all. You get a label by e-mail, and the {amount} euros return to you once the parcel is with us.
            agent: You can return it within thirty days. Which way did you pay, by card ending in {digits}?
            tool: create_return
            found: return {ref} created, label sent, refund of {amount} euros pending

            step
            user: Do I have to pay for the return?
            user: Who pays for sending it back?
            agent: The return is free of charge, just hand it in at any parcel shop, there is one at {street}.
            agent: We do. Please use the original box if you still have it.

            step
            user: And do I get some kind of discount for the trouble?
            user: That is the second time this happens, you know.
            agent: I am really sorry about it. I have put a voucher of ten euros on your account.
            agent: You are right, and I apologise. Delivery of your next order will be on us.
            tool: grant_voucher
            found: voucher of ten euros granted, valid for one year

            close
            user: Fine, that is fair. Thanks.
            user: Okay, I will wait until {day} then. Goodbye.
            agent: Thank you for your patience, {name}. Have a nice day.
            agent: Gladly. You can write to us at any time, just name order {ref}.
            """
    )
}
