namespace Ferry.Transfer.Handover;

/// <summary>One way of handing a request over, in windows that may run at the same time.</summary>
internal interface IHandoverRoute
{
    HandoverRoute Kind { get; }

    /// <summary>Windows; each is pulled once.</summary>
    int WindowCount { get; }

    /// <summary>False when bytes go straight into the target, so that no slot is needed.</summary>
    bool NeedsSlot { get; }

    /// <summary>What it puts on the wire.</summary>
    WireShare Share { get; }

    /// <summary>Brings one window into the target's blocks.</summary>
    /// <param name="slot">Of the reader's staging memory, for this call alone; meaningless where none is needed.</param>
    Task<TransferOutcome> PullAsync(int window, int slot, HandoverPull pull, CancellationToken cancellationToken);
}
