"""The configurations of collector-config/, run by a real collector between real programs."""
