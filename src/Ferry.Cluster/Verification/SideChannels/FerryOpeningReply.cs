namespace Ferry.Cluster.Verification.SideChannels;

/// <summary>How a side channel of Ferry answered.</summary>
/// <param name="Problem">Empty: as it should.</param>
/// <param name="IsProven">Whether it knows the shared secret; null: there is none, or it is not known here.</param>
internal sealed record FerryOpeningReply(string Problem, bool? IsProven);
