namespace Ferry.Cache.Remote.Resp;

/// <summary>One command of the front.</summary>
/// <param name="Name">In capitals.</param>
/// <param name="CountMin">Words at least, the name among them.</param>
/// <param name="CountMax">Words at most.</param>
/// <param name="Run">Answers it. Small replies have room; longer ones are written with an await.</param>
internal sealed record RespCommand(string Name, int CountMin, int CountMax, Func<RespSession, ValueTask> Run)
{
    /// <summary>A client that has not given its password yet may send it.</summary>
    public bool IsOpenToAll { get; init; }

    /// <summary>LMCache's native client takes its reply for exactly four or five bytes: after an error it is out of step.</summary>
    public bool HasFixedReply { get; init; }

    /// <summary>Label of the histogram that takes its times; null for none.</summary>
    public string? SecondsLabel { get; init; }

    /// <summary>Place in <see cref="RespCommands.All"/>.</summary>
    public int Index { get; init; }
}
