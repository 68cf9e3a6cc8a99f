namespace Ferry.Router.Policies;

/// <summary>Chooses a node for one leg. Any thread.</summary>
public interface INodePolicy
{
    /// <param name="nodes">At least one; those that were tried already are not among them.</param>
    Node Choose(IReadOnlyList<Node> nodes);
}
