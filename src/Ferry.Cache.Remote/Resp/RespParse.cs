namespace Ferry.Cache.Remote.Resp;

/// <summary>What <see cref="RespParser.Read"/> found.</summary>
internal enum RespParse
{
    /// <summary>The command is not whole yet.</summary>
    NeedMore,

    /// <summary>A whole command: its arguments can be read, then <see cref="RespParser.Next"/>.</summary>
    Command,

    /// <summary>A SET whose value is long and still on its way: take <see cref="RespParser.ValueBytes"/> bytes at <see cref="RespParser.ValueOffset"/> out of the stream, then <see cref="RespParser.ValueTaken"/>.</summary>
    Value,

    /// <summary>Not the protocol: answer <see cref="RespParser.Error"/> and close.</summary>
    Error,
}
