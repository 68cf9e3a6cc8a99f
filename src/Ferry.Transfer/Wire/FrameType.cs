namespace Ferry.Transfer.Wire;

/// <summary>Kinds of frame. The numbers are on the wire (docs/wire/side-channel.md) and never change. A reply is its request's number + 1.</summary>
internal enum FrameType : byte
{
    Open = 1,
    Challenge = 2,
    Prove = 3,
    Accept = 4,
    Hello = 5,
    HelloReply = 6,
    Ping = 7,
    Pong = 8,
    Locate = 9,
    LocateReply = 10,
    Extend = 11,
    ExtendReply = 12,
    Release = 13,
    ReleaseReply = 14,

    /// <summary>The sender is about to close and says why.</summary>
    Goodbye = 15,
    Read = 16,
    ReadReply = 17,
    Write = 18,
    WriteReply = 19,

    /// <summary>The asker has moved the bytes of a segment that the owner holds in place.</summary>
    Took = 20,
    TookReply = 21,
    Prepare = 22,
    PrepareReply = 23,
    Notify = 24,
    NotifyReply = 25,

    /// <summary>How a region is reached by another medium.</summary>
    Region = 26,
    RegionReply = 27,

    /// <summary>A question whose meaning is the two owners' own affair.</summary>
    Ask = 64,
    AskReply = 65,
}
