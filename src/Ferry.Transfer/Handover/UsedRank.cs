namespace Ferry.Transfer.Handover;

/// <summary>A rank of the owner that a reader needs, and the heads that it takes from it.</summary>
internal readonly record struct UsedRank(int Rank, int FirstHead, int Heads);
