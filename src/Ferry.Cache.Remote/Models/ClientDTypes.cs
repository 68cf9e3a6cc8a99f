using Ferry.Kv.Keys;
using Ferry.Kv.Layout;

namespace Ferry.Cache.Remote.Models;

/// <summary>Element types as clients of LMCache, vLLM and PyTorch spell them.</summary>
internal static class ClientDTypes
{
    /// <summary>Null for a name that is none, and for a type in which no KV is converted.</summary>
    public static KvDType? TryParse(string name) => KvDTypes.ByName.TryGetValue(name, out var own) ? own : LmCacheKey.TryDTypeName(name) switch
    {
        "half" => KvDType.Float16,
        "bfloat16" => KvDType.BFloat16,
        "float" => KvDType.Float32,
        "fp8_e4m3fn" => KvDType.Float8E4M3Fn,
        "fp8_e4m3fnuz" => KvDType.Float8E4M3Fnuz,
        "fp8_e5m2" => KvDType.Float8E5M2,
        _ => null,
    };
}
