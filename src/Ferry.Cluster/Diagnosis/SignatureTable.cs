using Ferry.Cluster.Diagnosis.Signatures;

namespace Ferry.Cluster.Diagnosis;

/// <summary>Every trouble that <c>ferry diagnose</c> knows. A new one is one record in its component's file.</summary>
public static class SignatureTable
{
    public static IReadOnlyList<Signature> All { get; } =
    [
        .. UcxSignatures.All,
        .. NixlSignatures.All,
        .. VllmSignatures.All,
        .. LmCacheSignatures.All,
        .. StorageSignatures.All,
        .. AcceleratorSignatures.All,
        .. PlatformSignatures.All,
        .. FerrySignatures.All,
        .. MetricSignatures.All,
    ];

    /// <summary>The signature of an id, in any case; null when there is none.</summary>
    public static Signature? Find(string id) => All.FirstOrDefault(signature => signature.Id.Equals(id, StringComparison.OrdinalIgnoreCase));
}
