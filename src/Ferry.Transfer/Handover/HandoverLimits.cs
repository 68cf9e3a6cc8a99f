namespace Ferry.Transfer.Handover;

/// <summary>Bounds of hand-overs between paged pools.</summary>
public sealed record HandoverLimits
{
    /// <summary>Pieces on the wire should be no shorter. 128 KiB: a piece costs about what 32 KiB cost (docs/measurements/transfer-tcp.md), so a quarter at most goes there.</summary>
    public int WirePieceBytes { get; init; } = 128 << 10;

    /// <summary>One staging slot: what is read, or packed, in one go. On two cores a window costs some 350 µs besides its bytes (wake-ups, questions), which 2 MiB, though a second-level cache keeps them, do not earn (docs/measurements/transfer-hetero.md).</summary>
    public int SlotBytes { get; init; } = 8 << 20;

    /// <summary>Slots of one agent; as many windows are on the way or being converted at a time.</summary>
    public int SlotCount { get; init; } = 4;

    /// <summary>Requests that an owner holds for readers at one time.</summary>
    public int OfferCountMax { get; init; } = 4096;

    /// <summary>How long a packed window waits to be read.</summary>
    public TimeSpan PackLease { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a question for a packed window waits for a free slot.</summary>
    public TimeSpan SlotWait { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Null: chosen for each hand-over by what it costs.</summary>
    public HandoverRoute? Route { get; init; }

    /// <summary>Every error at once, each with the name, the value and the limit.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        Require(WirePieceBytes >= 1, $"WirePieceBytes is {WirePieceBytes}; it must be at least 1.");
        Require(SlotBytes is >= 4096 and <= 1 << 30, $"SlotBytes is {SlotBytes}; it must lie in 4096..{1 << 30}.");
        Require(SlotCount is >= 1 and <= 1024, $"SlotCount is {SlotCount}; it must lie in 1..1024.");
        Require(OfferCountMax >= 1, $"OfferCountMax is {OfferCountMax}; it must be at least 1.");
        Require(PackLease > TimeSpan.Zero, $"PackLease is {PackLease}; it must be positive.");
        Require(SlotWait > TimeSpan.Zero, $"SlotWait is {SlotWait}; it must be positive.");
        Require(Route is null || Enum.IsDefined(Route.Value), $"Route is {(int)Route.GetValueOrDefault()}; it must be one of {string.Join(", ", Enum.GetNames<HandoverRoute>())}, or null.");
        return errors;

        void Require(bool condition, string error)
        {
            if (!condition)
            {
                errors.Add(error);
            }
        }
    }

    /// <exception cref="TransferConfigurationException">Lists every error of <see cref="Validate"/>.</exception>
    internal HandoverLimits ThrowIfInvalid() =>
        Validate() is { Count: > 0 } errors ? throw new TransferConfigurationException(string.Join(Environment.NewLine, errors)) : this;
}
