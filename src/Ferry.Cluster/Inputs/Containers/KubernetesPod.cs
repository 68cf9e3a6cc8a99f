using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Containers;

/// <summary>A pod's part of a document, what its containers share.</summary>
/// <param name="Spec">The mapping that has <c>containers</c>.</param>
/// <param name="Metadata">The pod's own, or its object's when the template has none.</param>
internal sealed record KubernetesPod(DataNode Document, DataNode Spec, DataNode? Metadata)
{
    public string Kind => Document.Find("kind")?.TryString() ?? "Pod";

    public SourcedText Name => Document.Find("metadata", "name")?.Text ?? SourcedText.Implied("pod", Document.Span);

    public int Containers => (Spec.Find("containers")?.Items.Count ?? 0) + (Spec.Find("initContainers")?.Items.Count ?? 0);

    public bool IsHostNetwork => Spec.Find("hostNetwork") is { IsTrue: true };

    public DataNode? Volume(string name) => Spec.Find("volumes")?.Items.FirstOrDefault(volume => volume.Find("name")?.Text.Value == name);

    /// <summary>What a volume is: <c>hostPath:/data</c>, <c>configMap:name</c>, <c>emptyDir</c>, …</summary>
    public static string Source(DataNode? volume)
    {
        if (volume?.Find("hostPath", "path") is { } path) { return $"hostPath:{path.Text.Value}"; }
        if (volume?.Find("configMap", "name") is { } map) { return $"configMap:{map.Text.Value}"; }
        if (volume?.Find("secret", "secretName") is { } secret) { return $"secret:{secret.Text.Value}"; }
        return volume?.Members.FirstOrDefault(member => member.Key.Value != "name")?.Key.Value ?? "unknown";
    }

    /// <summary>Whether what lies on it is there after the pod: an emptyDir is not; a claim template (no volume of the pod) is.</summary>
    public static bool IsLasting(DataNode? volume) => volume is null || volume.Find("emptyDir") is null;
}
