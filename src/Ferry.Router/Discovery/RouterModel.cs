using Ferry.Router.Policies;

namespace Ferry.Router.Discovery;

/// <summary>Options, nodes and policies that belong together. Immutable: a change makes a new one, which is swapped in whole.</summary>
/// <param name="Version">Counts the changes.</param>
internal sealed record RouterModel(RouterOptions Options, Node[] Prefill, Node[] Decode, INodePolicy PrefillPolicy, INodePolicy DecodePolicy, long Version)
{
    /// <summary>Whether anything asks for prefixes: otherwise no prompt is hashed.</summary>
    public bool NeedsPrefixes { get; } =
        NodePolicies.UsesPrefixes(Options.Policy) || NodePolicies.UsesPrefixes(Options.DecodePolicy) || Options.MinPrefillTokens > 0 || Options.MaxDecodeHit < 1;

    public IEnumerable<Node> Nodes => Prefill.Concat(Decode);

    public Node[] Of(NodeRole role) => role == NodeRole.Prefill ? Prefill : Decode;
}
