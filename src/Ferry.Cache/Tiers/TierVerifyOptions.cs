namespace Ferry.Cache.Tiers;

public sealed record TierVerifyOptions
{
    /// <summary>Records read at a time.</summary>
    public int Parallelism { get; init; } = 2;

    /// <summary>True: what is damaged is deleted, as a read of it would. False: it is only reported.</summary>
    public bool DropDamaged { get; init; }

    /// <summary>Damaged records named in the report; beyond it they are only counted.</summary>
    public int DamagedNamedMax { get; init; } = 1000;

    /// <summary>Every error at once; empty when usable.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (Parallelism is < 1 or > 256)
        {
            errors.Add($"verify.parallelism is {Parallelism}; it must lie in 1..256.");
        }
        if (DamagedNamedMax < 0)
        {
            errors.Add($"verify.damagedNamedMax is {DamagedNamedMax}; it must be 0 or more.");
        }
        return errors;
    }
}
