namespace Ferry.Transfer.Wire;

/// <summary>Kinds of frame. The numbers are on the wire (docs/wire/side-channel.md) and never change.</summary>
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
}
