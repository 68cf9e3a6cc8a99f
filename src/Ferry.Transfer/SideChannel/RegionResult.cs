using Ferry.Transfer.OneSided;

namespace Ferry.Transfer.SideChannel;

/// <param name="Region">Null unless <paramref name="Outcome"/> is a success.</param>
internal readonly record struct RegionResult(TransferOutcome Outcome, RegionInfo? Region);
