namespace Ferry.Cache.Records;

/// <summary>What a salt has in memory, reservations and late readers' bytes included.</summary>
/// <param name="QuotaBytes">Null: no limit of its own.</param>
public sealed record SaltUsage(string Salt, long Bytes, long? QuotaBytes);
