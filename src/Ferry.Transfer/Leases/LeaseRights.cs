namespace Ferry.Transfer;

/// <summary>What a lease lets its holder do with the ranges.</summary>
[Flags]
public enum LeaseRights : byte
{
    None = 0,
    Read = 1,
    Write = 2,
}
