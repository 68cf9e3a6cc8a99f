namespace Ferry.Transfer.InProcess;

/// <summary>How likely each fault is, per message, 0 to 1.</summary>
public sealed record FaultRates
{
    public static FaultRates None { get; } = new();

    /// <summary>The message never arrives.</summary>
    public double Drop { get; init; }

    /// <summary>The message arrives twice.</summary>
    public double Duplicate { get; init; }

    /// <summary>One bit of the message flips.</summary>
    public double Corrupt { get; init; }

    /// <summary>The message is held back for up to <see cref="DelayMax"/>, so that later ones overtake it.</summary>
    public double Delay { get; init; }

    public TimeSpan DelayMax { get; init; } = TimeSpan.FromMilliseconds(100);
}
