using System.Text;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Containers;

/// <summary>The ConfigMaps and Secrets among the documents, and those that a kustomization makes, for the containers that refer to them.</summary>
internal sealed class KubernetesObjects
{
    private readonly Dictionary<(string Kind, string Name), List<DataMember>> _data = [];

    /// <param name="documents">Root nodes; others than ConfigMaps and Secrets are passed over.</param>
    public KubernetesObjects(IEnumerable<DataNode> documents)
    {
        foreach (var document in documents)
        {
            if (document.Find("kind")?.TryString() == "Kustomization")
            {
                Generated(document, "configMapGenerator", "ConfigMap");
                Generated(document, "secretGenerator", "Secret");
                continue;
            }
            if (document.Find("kind")?.TryString() is not ("ConfigMap" or "Secret") || document.Find("metadata", "name")?.Text.Value is not { } name) { continue; }
            var kind = document.Find("kind")!.Text.Value;
            var members = _data[(kind, name)] = [];
            members.AddRange((document.Find("data")?.Members ?? []).Select(member => kind == "Secret" ? Decoded(member) : member));
            members.AddRange(document.Find("stringData")?.Members ?? []);
        }
    }

    /// <summary>Every value of every Secret: none of them may be shown.</summary>
    public IEnumerable<SourcedText> SecretValues => _data.Where(entry => entry.Key.Kind == "Secret").SelectMany(entry => entry.Value).Select(member => member.Value.Text);

    /// <summary>The data of an object, or null when it is not among the documents.</summary>
    public IReadOnlyList<DataMember>? Find(string kind, string name) => _data.GetValueOrDefault((kind, name));

    /// <summary>What a kustomization makes of words; of files only the names stand in it.</summary>
    private void Generated(DataNode kustomization, string generator, string kind)
    {
        foreach (var made in kustomization.Find(generator)?.Items ?? [])
        {
            if (made.Find("name")?.Text.Value is not { } name) { continue; }
            var members = _data[(kind, name)] = [];
            foreach (var word in (made.Find("literals")?.Items ?? []).Select(item => item.Text))
            {
                if (word.Value.IndexOf('=', StringComparison.Ordinal) is var equals and > 0)
                {
                    members.Add(new DataMember(SourcedText.Implied(word.Value[..equals], word.Span), new DataNode(DataKind.String, SourcedText.Implied(word.Value[(equals + 1)..], word.Span))));
                }
            }
        }
    }

    /// <summary>The value as a program sees it, at the place of its base64 text.</summary>
    private static DataMember Decoded(DataMember member)
    {
        var buffer = new byte[member.Value.Text.Value.Length];
        return Convert.TryFromBase64String(member.Value.Text.Value, buffer, out var count)
            ? member with { Value = new DataNode(DataKind.String, SourcedText.Implied(Encoding.UTF8.GetString(buffer, 0, count), member.Value.Span)) }
            : member;
    }
}
