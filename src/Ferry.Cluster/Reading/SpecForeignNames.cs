namespace Ferry.Cluster.Reading;

/// <summary>What others call our keys: somebody who writes vLLM's or LMCache's name is told ours.</summary>
internal static class SpecForeignNames
{
    private static readonly Dictionary<string, string> ByName = new(StringComparer.Ordinal)
    {
        ["blocksize"] = "blockTokens",
        ["chunksize"] = "cache.chunkTokens",
        ["gpumemoryutilization"] = "memoryUtilization",
        ["kvcachedtype"] = "model.kvDtype",
        ["kvconnector"] = "handover.kind",
        ["handovermode"] = "handover.mode",
        ["kvbufferdevice"] = "handover.bufferDevice",
        ["kvleaseduration"] = "handover.leaseSeconds",
        ["localcpu"] = "cache.memory",
        ["localdisk"] = "cache.disk",
        ["maxlocalcpusize"] = "cache.memory",
        ["maxlocaldisksize"] = "cache.disk",
        ["maxmodellen"] = "model.maxLength",
        ["maxnumseqs"] = "limits.sequences",
        ["maxnumbatchedtokens"] = "limits.batchedTokens",
        ["pythonhashseed"] = "cache.hashSeed",
        ["cachepolicy"] = "cache.policy",
        ["remoteurl"] = "storage",
        ["savedecodecache"] = "cache.saveDecode",
        ["servedmodelname"] = "model.servedName",
        ["tensorparallelsize"] = "tensorParallel",
        ["tp"] = "tensorParallel",
        ["ucxtls"] = "transport.tls",
        ["ucxnetdevices"] = "transport.devices",
    };

    /// <summary>Our key for a flag, a variable or a key of vLLM, LMCache or UCX; null when it is none.</summary>
    public static string? Find(string name)
    {
        var plain = string.Concat(name.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
        return ByName.GetValueOrDefault(plain.StartsWith("lmcache", StringComparison.Ordinal) ? plain["lmcache".Length..] : plain);
    }
}
