namespace Ferry.Router.Prefixes;

/// <summary>How many blocks of a prompt, counted from its start without a gap, a node has, by where.</summary>
internal readonly record struct PrefixHit(int Device, int Host, int Storage)
{
    public int Blocks => Device + Host + Storage;

    /// <summary>Blocks weighted by what fetching them from their tier saves.</summary>
    public double Weighted(double hostWeight, double storageWeight) => Device + (Host * hostWeight) + (Storage * storageWeight);
}
